"""Tokenising, hashing and weighting the messages of the benchmark: `LIBRARY` in, milliseconds and what came out back."""
import sys
import time

import pyarrow.parquet as pq
from pyspark.ml.feature import IDF, HashingTF, Tokenizer
from pyspark.sql import SparkSession
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

(path,) = sys.argv[1:]
texts = pq.read_table(path)["text"].to_pylist()
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
frame = spark.read.parquet(path).cache()
frame.count()


def sklearn():
    # Its own tokens: two characters or more, by a pattern.
    hashed = HashingVectorizer(n_features=2**18, alternate_sign=False, norm=None).transform(texts)
    return TfidfTransformer(norm=None).fit_transform(hashed).nnz


def sklearn_split():
    # Cut at white space, as the others do: faster than its own tokens.
    hashed = HashingVectorizer(
        n_features=2**18, alternate_sign=False, norm=None, tokenizer=str.split, token_pattern=None
    ).transform(texts)
    return TfidfTransformer(norm=None).fit_transform(hashed).nnz


def pyspark():
    words = Tokenizer(inputCol="text", outputCol="words").transform(frame)
    hashed = HashingTF(inputCol="words", outputCol="counts").transform(words)
    model = IDF(inputCol="counts", outputCol="features").fit(hashed)
    # Every vector is computed and handed to a sink that drops it.
    model.transform(hashed).select("features").write.format("noop").mode("overwrite").save()
    return model.numDocs


print("READY", flush=True)
for line in sys.stdin:
    work = {"sklearn": sklearn, "sklearn split": sklearn_split, "pyspark": pyspark}[line.strip()]
    start = time.perf_counter()
    found = work()
    print((time.perf_counter() - start) * 1000, found, flush=True)
