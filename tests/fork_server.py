"""Runs scripts in forks of a process that has imported everything already.

Starting Python and importing TensorFlow takes seconds, most of what a script
needs to refuse a bad flag. Reads one JSON line for each start: the folder to
work in, folders to find packages in, the script's name and its arguments.
Answers with exit code, stdout and stderr.
"""

import gc
import json
import os
import resource
import runpy
import sys
import tempfile
import traceback

# Of the processor, however long the machine takes for them. A script that
# refuses something needs a few; one that counts for ever is killed.
SECONDS = 600


def find_in(folders):
    """Finds packages in folders, too, as the processes of this one will."""
    if folders:
        sys.path += folders
        path = os.pathsep.join([os.environ["PYTHONPATH"], *folders])
        os.environ["PYTHONPATH"] = path


def start(folder, folders, name, arguments):
    """Runs a script in a fork, with its output in files."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(error.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            os.chdir(folder)
            find_in(folders)
            sys.argv = [name, *arguments]
            code = 1
            try:
                runpy.run_module(f"experiments.{name}", run_name="__main__")
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else bool(end.code)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, error):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        return [os.waitstatus_to_exitcode(status), *texts]


def main():
    """Serves until its standard input ends."""
    # Read once, on import; the forks shall print what the scripts print.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import sklearn.model_selection  # noqa: F401

    import enas.search  # noqa: F401
    import mlpnas.search  # noqa: F401
    import nascore.data.tfds
    import nascore.training.exports.classifier  # noqa: F401

    # tensorflow-datasets imports a data set's module when it is asked for.
    for name in ("mnist", "cifar10"):
        nascore.data.tfds.make_builder(name, os.devnull + "/none")

    # Else each fork's collector would copy all that was imported.
    gc.collect()
    gc.freeze()
    # As a script finds it that starts by itself.
    os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
    for line in sys.stdin:
        print(json.dumps(start(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
