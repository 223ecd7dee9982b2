"""Answers command lines in forks of a process that imported little.

Reads a JSON line for each: the words, the environment, and whether the flags
are only to be read. Answers with exit code, stdout, stderr, the flags, and
which slow libraries it had come to import.
"""

import gc
import json
import os
import runpy
import sys
import tempfile

SLOW = ("tensorflow", "keras", "pandas", "matplotlib", "sklearn", "scipy")


def answer(words, variables, only_read, report):
    """Runs one command; never returns."""
    os.environ.update(variables)
    # As if started by itself: absl names modules by it.
    sys.argv = ["experiments", *words]
    code = 1
    try:
        if only_read:
            read_only(report)
        module, sys.argv = ("experiments", sys.argv)
        if words[:1] == ["-m"]:
            module, sys.argv = words[1], ["script", *words[2:]]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException as error:  # noqa: BLE001
        print(repr(error), file=sys.stderr)
    finally:
        report["slow"] = [name for name in SLOW if name in sys.modules]
        sys.stdout.flush()
        sys.stderr.flush()
        with open(report["file"], "w", encoding="utf-8") as file:
            json.dump(report, file)
        os._exit(code)


def read_only(report):
    """Puts a stop where the flags have been read."""
    from absl import flags

    from experiments import launch

    def stop(main, args):
        report["flags"] = {
            name: repr(flags.FLAGS[name].value)
            for name in flags.FLAGS
            # Not the letters that stand for some.
            if flags.FLAGS[name].name == name
        }
        report["rest"] = args

    launch._guard = stop


def main():
    # What most commands import; no script, and nothing slow.
    import nascore.runs.reader  # noqa: F401

    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        words, variables, only_read = json.loads(line)
        with (
            tempfile.NamedTemporaryFile("r+") as file,
            tempfile.TemporaryFile("r+") as out,
            tempfile.TemporaryFile("r+") as error,
        ):
            child = os.fork()
            if not child:
                os.dup2(out.fileno(), 1)
                os.dup2(error.fileno(), 2)
                answer(words, variables, only_read, {"file": file.name})
            _, status = os.waitpid(child, 0)
            texts = []
            for stream in (out, error):
                stream.seek(0)
                texts.append(stream.read())
            code = os.waitstatus_to_exitcode(status)
            print(json.dumps([code, *texts, json.load(file)]), flush=True)


if __name__ == "__main__":
    main()
