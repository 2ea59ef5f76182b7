"""How every peer is timed: warm up, then the best of several rounds, each long enough for a steady clock.

Best, not mean: the machine is shared, and noise only ever makes a round slower.
"""

import json
import time

WIDTH = 32
BATCH = 32
LEARNING_RATE = 0.05
ROUNDS = 5
ROUND_SECONDS = 0.5


def rate(advance, replicas, steps_per_call):
    """Replica-steps per second of `advance()`, which does `steps_per_call` steps of `replicas` replicas."""
    advance()
    begin = time.perf_counter()
    advance()
    calls = max(1, round(ROUND_SECONDS / max(time.perf_counter() - begin, 1e-9)))
    best = 0.0
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(calls):
            advance()
        best = max(best, calls * steps_per_call * replicas / (time.perf_counter() - begin))
    return best


def report(peer, version, results):
    """Print {peer, version, results: [{formulation, replicas, replica_steps_per_second}], best: ...} as one line of JSON."""
    best = max(results, key=lambda result: result["replica_steps_per_second"])
    print(json.dumps({"peer": peer, "version": version, "results": results, "best": best}))
