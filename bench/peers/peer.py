"""What every peer written in Python shares: how it is asked, and how it is timed.

A peer is a process. A request is a line of JSON on its standard input, the answer a line on its standard output:
  {"do": "versions"}                                                  -> {program: version, ...}
  {"do": "variants", "cell": CELL}                                    -> {"variants": [NAME, ...]}, what is likely best first
  {"do": "train", "cell": CELL, "variant": NAME, "parameters": [...], "samples": [...]}   (as in plain.py)
                                                                      -> {"parameters": [...]} of one network, trained in float32 or float64
  {"do": "time", "cell": CELL, "variant": NAME, "seconds": S}         -> {"replicas", "replica_steps", "seconds"} of a run of about S seconds
or {"error": text}. CELL is {"width", "dimension", "batch", "optimizer": "sgd" or "adam", "precision": "float32" or "float64"}.
Times are the processor time of the process, which has one core.
"""

import json
import os
import sys
import time


def start(cell, replicas, numpy):
    """Arbitrary parameters [w [replicas][width][d], b, v [replicas][width], c [replicas]] of a cell, in its precision."""
    generator = numpy.random.default_rng(1)
    h, d = cell["width"], cell["dimension"]
    shapes = ((replicas, h, d), (replicas, h), (replicas, h), (replicas,))
    return [(generator.uniform(-1, 1, shape) / h**0.5).astype(cell["precision"]) for shape in shapes]


def given(cell, replicas, request, numpy):
    """The request's parameters in every replica, as `start` has them, and its samples [steps][replicas][batch][d]."""
    h, d = cell["width"], cell["dimension"]
    flat = numpy.array(request["parameters"], cell["precision"])
    parts = (flat[: d * h].reshape(d, h).T, flat[d * h : (d + 1) * h], flat[(d + 1) * h : -1], flat[-1])
    samples = numpy.array(request["samples"], cell["precision"]).reshape(-1, 1, cell["batch"], d)
    return [numpy.stack([part] * replicas) for part in parts], numpy.repeat(samples, replicas, axis=1)


def flat(parameters, numpy):
    """Parameters of the last replica as a flat list: w [d][width], b, v, c."""
    w, b, v, c = (numpy.asarray(part, "float64")[-1] for part in parameters)
    return [*w.T.ravel().tolist(), *b.tolist(), *v.tolist(), float(c)]


class Timed:
    """`advance()` does `replica_steps` steps and returns when they are done."""

    def __init__(self, advance, replicas, replica_steps):
        self.advance, self.replicas, self.replica_steps = advance, replicas, replica_steps
        self.advance()  # compiles
        self.one = self.spent(1)

    def spent(self, calls):
        begin = time.process_time()
        for _ in range(calls):
            self.advance()
        return max(time.process_time() - begin, 1e-9)

    def run(self, seconds):
        calls = max(1, round(seconds / self.one))
        spent = self.spent(calls)
        self.one = spent / calls
        return {"replicas": self.replicas, "replica_steps": calls * self.replica_steps, "seconds": spent}


def serve(versions, variants, timed, train):
    """Answers requests until standard input ends. timed(cell, variant) -> Timed; train(cell, variant, request) -> flat parameters."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes to standard error
    prepared, of_cell = {}, None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            cell, variant = request.get("cell"), request.get("variant")
            if cell != of_cell:
                prepared, of_cell = {}, cell
            if request["do"] == "versions":
                answer = versions
            elif request["do"] == "variants":
                answer = {"variants": variants(cell)}
            elif request["do"] == "train":
                answer = {"parameters": train(cell, variant, request)}
            else:
                if variant not in prepared:
                    prepared[variant] = timed(cell, variant)
                answer = prepared[variant].run(request["seconds"])
        except Exception as error:  # whatever goes wrong in a compiler is this variant's result
            answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        print(json.dumps(answer), file=answers, flush=True)
