"""The peers of bench/engine.ts: `engine.py keras|torch|jax|machine THREADS`, THREADS `default`, `serial` or `chains`.

Prints READY, then answers each line of its input with one line that starts with a number:
  load FOLDER      builds the network of FOLDER/workload.json with its weights and data -> ms of the first step
  train STEPS      -> ms a step, ms of processor time a step
  fit EPOCHS       -> ms of `fit` over all rows from memory, shuffled, ms of processor time, the last loss (Keras)
  losses STEPS     starts again from the weights of the file -> 1, and the losses (Keras)
  predict ROWS N   host array in, host array out -> median ms of N calls, of the way in the words that follow (Keras: the fastest)
  sgemm            -> GFLOP/s of the best of several 1024 x 1024 products (TensorFlow's library, the fastest of the three)
"""

import json
import os
import sys
import time

framework, threads = sys.argv[1:3]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
if framework == "jax" and threads == "serial":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import numpy as np  # noqa: E402

EPSILON = 1e-7


class Workload:
    """The files that bench/engine/peers.ts writes."""

    def __init__(self, folder):
        with open(f"{folder}/workload.json") as file:
            described = json.load(file)
        self.layers, self.loss = described["layers"], described["loss"]
        self.batch, self.rate = described["batchRows"], described["learningRate"]
        self.input = described["inputShape"]
        self.x, self.y, *self.weights = [
            np.fromfile(f"{folder}/{i}.bin", dtype=dtype).reshape(shape)
            for i, (dtype, shape) in enumerate(described["tensors"])
        ]
        if any(d["kind"] == "gru" for d in self.layers):  # Keras holds its two biases as one weight
            kernel, recurrent, bias, recurrent_bias, *others = self.weights
            self.weights = [kernel, recurrent, np.stack([bias, recurrent_bias]), *others]

    def batches(self):
        n = self.batch
        return [(self.x[i : i + n], self.y[i : i + n]) for i in range(0, len(self.x), n)]


def median_ms(call, count):
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times))


class Keras:
    def __init__(self, workload):
        import keras
        import tensorflow as tf

        self.tf, self.keras, self.workload = tf, keras, workload
        self.model = keras.Sequential([keras.layers.Input(workload.input), *[self.layer(d) for d in workload.layers]])
        self.model.set_weights(workload.weights)
        losses = {
            "softmaxCrossEntropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "binaryCrossEntropy": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
            "meanSquaredError": keras.losses.MeanSquaredError,
        }
        optimizer = keras.optimizers.Adam(workload.rate, epsilon=EPSILON)
        self.model.compile(optimizer=optimizer, loss=losses[workload.loss](), jit_compile=False)
        self.data = [(tf.constant(x), tf.constant(y)) for x, y in workload.batches()]
        self.done = 0
        self.graph = tf.function(self.model)

    def layer(self, described):
        kind, o = described["kind"], described["options"]
        L = self.keras.layers
        window = {"padding": o.get("padding", "valid")}
        if kind in ("conv2d", "conv2dTranspose"):
            make = L.Conv2D if kind == "conv2d" else L.Conv2DTranspose
            return make(
                o["filters"], o["kernelSize"], strides=o.get("strides", 1), activation=o.get("activation"), **window
            )
        if kind == "maxPooling2d":
            return L.MaxPooling2D(o.get("poolSize", 2), **window)
        if kind == "dense":
            return L.Dense(o["units"], activation=o.get("activation"))
        if kind == "flatten":
            return L.Flatten()
        if kind == "rescale":
            return L.Rescaling(o["scale"])
        if kind == "embedding":
            return L.Embedding(o["inputDim"], o["outputDim"])
        if kind == "lstm":
            return L.LSTM(o["units"])
        if kind == "gru":
            return L.GRU(o["units"])
        raise ValueError(kind)

    def step(self):
        x, y = self.data[self.done % len(self.data)]
        self.done += 1
        return float(self.model.train_on_batch(x, y))

    def restart(self):
        self.model.set_weights(self.workload.weights)
        for variable in self.model.optimizer.variables:
            if variable.name != "learning_rate":
                variable.assign(self.tf.zeros_like(variable))

    def fit(self, epochs):
        self.restart()
        began, used = time.perf_counter(), time.process_time()
        history = self.model.fit(
            self.workload.x, self.workload.y, batch_size=self.workload.batch, epochs=epochs, verbose=0
        )
        times = time.perf_counter() - began, time.process_time() - used
        return "%f %f %f" % (*[1000 * t for t in times], history.history["loss"][-1])

    def losses(self, count):
        # train_on_batch reports the mean since the metrics were reset
        self.restart()
        self.done, losses = 0, []
        for _ in range(count):
            self.model.reset_metrics()
            losses.append(self.step())
        return losses

    def predict(self, rows, count):
        x = self.workload.x[:rows]
        ways = {
            "model(x)": lambda: self.model(x, training=False).numpy(),
            "tf.function": lambda: self.graph(self.tf.constant(x), training=False).numpy(),
        }
        for call in ways.values():
            median_ms(call, max(3, count // 10))
        times = {name: median_ms(call, count) for name, call in ways.items()}
        best = min(times, key=times.get)
        return times[best], best


class Torch:
    def __init__(self, workload):
        import torch

        self.torch = torch
        torch.manual_seed(0)
        self.shape = [workload.input[-1], *workload.input[:-1]] if len(workload.input) == 3 else list(workload.input)
        modules = []
        for described in workload.layers:
            modules += self.layer(described)
        self.net = torch.nn.Sequential(*modules)
        self.criterion = {
            "softmaxCrossEntropy": torch.nn.CrossEntropyLoss(),
            "binaryCrossEntropy": torch.nn.BCEWithLogitsLoss(),
            "meanSquaredError": torch.nn.MSELoss(),
        }[workload.loss]
        self.optimizer = torch.optim.Adam(self.net.parameters(), workload.rate, eps=EPSILON)
        self.data = [tuple(self.tensor(a) for a in pair) for pair in workload.batches()]
        self.done = 0

    def tensor(self, array):
        if array.ndim == 4:
            array = array.transpose(0, 3, 1, 2)
        tensor = self.torch.from_numpy(np.ascontiguousarray(array))
        return tensor.long() if array.dtype == np.int32 else tensor

    def layer(self, described):
        torch, nn = self.torch, self.torch.nn
        kind, o = described["kind"], described["options"]
        made = []
        if kind == "conv2d":
            # Padding of one on both sides stands for `same`: the sizes are the same, which edge is padded is not.
            padding = o["kernelSize"] // 2 if o.get("padding") == "same" else 0
            made = [nn.Conv2d(self.shape[0], o["filters"], o["kernelSize"], o.get("strides", 1), padding)]
        elif kind == "conv2dTranspose":
            made = [nn.ConvTranspose2d(self.shape[0], o["filters"], o["kernelSize"], o["strides"], 1, o["strides"] - 1)]
        elif kind == "maxPooling2d":
            made = [nn.MaxPool2d(o.get("poolSize", 2))]
        elif kind == "dense":
            made = [nn.Linear(self.shape[0], o["units"])]
        elif kind == "flatten":
            made = [nn.Flatten()]
        elif kind in ("lstm", "gru"):
            made = [Last(torch, kind, self.shape[-1], o["units"])]
        activation = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}.get(o.get("activation"))
        if activation is not None and kind not in ("lstm", "gru"):
            made.append(activation())
        with torch.no_grad():
            x = torch.zeros([2, *self.shape])
            for module in made:
                x = module(x)
            self.shape = list(x.shape[1:])
        return made

    def step(self):
        x, y = self.data[self.done % len(self.data)]
        self.done += 1
        self.optimizer.zero_grad()
        loss = self.criterion(self.net(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def Last(torch, kind, inputs, units):
    """A recurrent layer that gives its last output."""

    class LastOutput(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](inputs, units, batch_first=True)

        def forward(self, x):
            return self.cells(x)[0][:, -1]

    return LastOutput()


def configure():
    """Sets the threads. `chains` is one inside an operation and as many between operations as there are cores."""
    cores = len(os.sched_getaffinity(0))
    if framework in ("keras", "machine") and threads != "default":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(cores if threads == "chains" else 1)
    if framework == "torch":
        import torch

        torch.set_num_threads(cores if threads == "default" else 1)


def maker():
    if framework == "jax":
        from engine_jax import Jax

        return Jax
    return {"keras": Keras, "torch": Torch}[framework]


def sgemm():
    import tensorflow as tf

    a = tf.random.uniform([1024, 1024])
    return max(2 * 1024**3 / (median_ms(lambda: tf.matmul(a, a).numpy(), 1) * 1e6) for _ in range(60))


def answer(question, argument=None, count=None):
    global contestant
    if question == "sgemm":
        return sgemm()
    if question == "load":
        contestant = None  # the last one's memory goes first
        contestant = maker()(Workload(argument))
        return median_ms(contestant.step, 1)
    if question == "train":
        steps = int(argument)
        began, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            contestant.step()
        return "%f %f" % tuple(1000 / steps * t for t in (time.perf_counter() - began, time.process_time() - used))
    if question == "fit":
        return contestant.fit(int(argument))
    if question == "losses":
        return " ".join(["1", *map(str, contestant.losses(int(argument)))])
    if question == "predict":
        return "%f %s" % contestant.predict(int(argument), int(count))
    raise ValueError(question)


contestant = None
configure()
print("READY", flush=True)
for line in sys.stdin:
    try:
        print(answer(*line.split()), flush=True)
    except Exception as error:  # the driver shows it
        print("nan", repr(error).replace("\n", " "), flush=True)
