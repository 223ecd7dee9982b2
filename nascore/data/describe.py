"""What images there are, for files and for people."""

from nascore.data.images import ImageData


def describe_data(data: ImageData) -> dict[str, object]:
    """Says what the images are and how many there are."""
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "test_fingerprint": data.test_fingerprint,
        "train": len(data.train),
        "validation": len(data.validation),
        "search_test": len(data.search_test),
        "test": len(data.test),
        "image_shape": list(data.image_shape),
        "class_names": list(data.class_names),
    }


def summarize(data: ImageData) -> str:
    """Says in one line what a search learns from."""
    height, width, channels = data.image_shape
    return (
        f"{data.name}: {len(data.train)} training, {len(data.validation)} "
        f"validation, {len(data.search_test)} search-test images of "
        f"{height}x{width}x{channels}, {data.classes} classes"
    )
