"""What joblib's back ends can and cannot do."""

from joblib.parallel import get_active_backend


def return_as() -> str:
    """How `joblib.Parallel` shall hand out the results of many tasks.

    As they become ready where the active back end can do that; all of them
    at the end with Ray's, which cannot.
    """
    backend, _ = get_active_backend()
    return (
        "generator_unordered" if backend.supports_return_generator else "list"
    )
