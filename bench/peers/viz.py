"""Altair with VegaFusion, and matplotlib, as a peer process: one question a line, one answer a line.

`histogram` answers with the milliseconds and the bytes of the specification that a notebook would get, of the column x of
the Parquet file that is the argument, held in memory; `png` with the milliseconds of a picture of a line of 500 points.
"""

import io
import json
import math
import sys
import time

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as pyplot  # noqa: E402

table = None
versions = f"matplotlib {matplotlib.__version__}"
if len(sys.argv) > 1:
    import altair
    import pyarrow.parquet
    import vegafusion

    altair.data_transformers.enable("vegafusion")
    table = pyarrow.parquet.read_table(sys.argv[1], columns=["x"])
    versions += f", altair {altair.__version__}, vegafusion {vegafusion.__version__}"


def histogram():
    began = time.perf_counter()
    chart = altair.Chart(table).mark_bar().encode(altair.X("x:Q", bin=altair.Bin(maxbins=30)), y="count()")
    text = json.dumps(chart.to_dict(format="vega"))
    return f"{(time.perf_counter() - began) * 1000} {len(text)}"


def png():
    x = list(range(500))
    y = [math.sin(i / 25) + 0.1 * math.sin(7 * i) for i in x]
    began = time.perf_counter()
    figure, axes = pyplot.subplots(figsize=(7, 3.9), dpi=200)
    axes.plot(x, y)
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.set_title("y by x")
    figure.savefig(io.BytesIO(), format="png")
    pyplot.close(figure)
    return str((time.perf_counter() - began) * 1000)


png()
print(f"READY {versions}", flush=True)
for line in sys.stdin:
    print({"histogram": histogram, "png": png}[line.strip()](), flush=True)
