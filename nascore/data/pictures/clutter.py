"""Files that systems put beside pictures; nobody means them as data."""

_NAMES = {
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "desktop.ini",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "icon\r",
    "lost+found",
    "system volume information",
    "thumbs.db",
}


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name was made by a system."""
    return (
        name.startswith("._")
        or name == ".DS_Store"
        or name.casefold() in _NAMES
    )


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is not to be looked at."""
    return name.startswith(".") or is_clutter(name)
