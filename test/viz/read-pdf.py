"""Prints the pages, the title and the size of a PDF, and how far it differs from a PNG of the same chart, as JSON.

PDFium draws the page at one pixel a unit; the difference is the mean of all channels' absolute ones, in [0, 255].
"""

import json
import sys

import numpy
import pypdfium2
from PIL import Image

document = pypdfium2.PdfDocument(sys.argv[1])
page = document[0]
drawn = numpy.asarray(page.render(scale=4 / 3).to_pil().convert("RGB"), dtype=float)
given = numpy.asarray(Image.open(sys.argv[2]).convert("RGB"), dtype=float)
height, width = min(drawn.shape[0], given.shape[0]), min(drawn.shape[1], given.shape[1])
difference = float(numpy.abs(drawn[:height, :width] - given[:height, :width]).mean())
ink = float(numpy.abs(255 - given).mean())
print(
    json.dumps(
        {
            "pages": len(document),
            "title": document.get_metadata_dict()["Title"],
            "size": page.get_size(),
            "difference": difference,
            "ink": ink,
        }
    )
)
