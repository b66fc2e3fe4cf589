"""Prints what TensorBoard's own reader finds below a folder, as JSON: run to tag to [step, value] pairs."""

import json
import sys

from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

runs = EventMultiplexer({}).AddRunsFromDirectory(sys.argv[1])
runs.Reload()
print(
    json.dumps(
        {
            run: {tag: [[event.step, event.value] for event in runs.Scalars(run, tag)] for tag in tags["scalars"]}
            for run, tags in runs.Runs().items()
        }
    )
)
