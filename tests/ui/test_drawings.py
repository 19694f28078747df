import base64

import pytest

from demo_core.ui.drawings import LARGEST, pdf

SHAPES = '<rect width="9" height="9"/><text y="9">a</text>'
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{SHAPES}</svg>'


def test_shapes_and_text_become_a_pdf() -> None:
    assert base64.b64decode(pdf(SVG)["base64"]).startswith(b"%PDF-")


@pytest.mark.parametrize(
    "hostile",
    [
        SVG.replace("<rect", '<image href="file:///etc/passwd"/><rect'),
        SVG.replace("<rect", "<script>1</script><rect"),
        SVG.replace("<rect", '<rect style="fill: url(http://elsewhere.invalid/x)"'),
        SVG.replace("<rect", "<style>@import 'x'</style><rect"),
        SVG.replace("<rect", "<foreignObject></foreignObject><rect"),
        "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + SVG,
    ],
)
def test_what_could_fetch_or_run_something_is_refused(hostile: str) -> None:
    assert "base64" not in pdf(hostile) and "xpected" in pdf(hostile)["error"]


@pytest.mark.parametrize("strange", [None, 3, "", "<html></html>", {"svg": SVG}, "<svg"])
def test_what_is_no_drawing_is_refused(strange: object) -> None:
    assert "error" in pdf(strange)


def test_a_drawing_that_is_too_large_is_refused() -> None:
    assert "at most 1,000,000 characters" in pdf("<svg>" + " " * LARGEST)["error"]
