#!/usr/bin/env python3
"""Counts the instructions of the CPU backend's inner loops for ReLU, from the machine code, for one register of sample-neurons.

Usage: inner_loops.py [--show] OBJECT...
Each OBJECT is a kernels_batch_{float,double}.cpp.o of an instruction set, which its path names (limrisk_kernels_avx512.dir).
The forward loop goes through the slots of a register for some samples at once (each costs a maximum), the backward loop through the
samples for some neurons at once (each costs a comparison, or reads the mask that the forward loop kept). Their instructions per sample and neuron, added up, must stay within 5 % of the
budget below; 3 d + 4 are needed at least. From d = 2 on the AVX2 loop counted is the one for inputs without a sign, which is shorter.
No clock is involved. Exit code 1 where a budget is exceeded.
"""
import re
import subprocess
import sys

# Instructions per register of sample-neurons, forward and backward, of g++ 12.2.
BUDGET = {
    ("avx2", "float", 1): 13.0,
    ("avx2", "float", 2): 19.75,
    ("avx2", "float", 3): 23.5,
    ("avx2", "float", 4): 28.75,
    ("avx512", "float", 1): 11.0,
    ("avx512", "float", 2): 14.38,
    ("avx512", "float", 3): 16.75,
    ("avx512", "float", 4): 19.38,
    ("avx2", "double", 1): 13.0,
    ("avx512", "double", 1): 11.0,
}

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
RELU = r"<(float|double), \(limrisk::kernels::ActivationKind\)0, ([1-4])>"


def functions(path):
    """{name: [(address, operation, operands)]} of an object file."""
    listing = subprocess.run(["objdump", "-d", "-C", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    result, current = {}, None
    for line in listing.splitlines():
        if match := FUNCTION.match(line):
            current = result.setdefault(match.group(1), [])
        elif current is not None and (match := INSTRUCTION.match(line)):
            current.append((int(match.group(1), 16), match.group(2), match.group(3)))
    return result


def innermost_loops(code):
    """Operations of every loop that holds no other."""
    places = {address: i for i, (address, _, _) in enumerate(code)}
    loops = []
    for i, (_, operation, operands) in enumerate(code):
        if operation.startswith("j") and (match := re.match(r"([0-9a-f]+)\b", operands)):
            start = places.get(int(match.group(1), 16))
            if start is not None and start <= i:
                loops.append((start, i))
    return [[operation for _, operation, _ in code[a : b + 1]] for a, b in loops
            if not any((c, d) != (a, b) and a <= c and d <= b for c, d in loops)]


def having(loops, *operations):
    return [loop for loop in loops if any(operation.startswith(operations) for operation in loop)]


def cost(loops, *unit):
    """Instructions per `unit` of the loop that has most of them beside fused multiply-adds."""
    counts = [(sum(operation.startswith(unit) for operation in loop), len(loop)) for loop in having(loops, "vfmadd")]
    units, length = max(counts, default=(0, 0), key=lambda count: (count[0], -count[1]))
    return length / units if units else None


def main():
    show = "--show" in sys.argv
    found = {}
    for path in sys.argv[1:]:
        isa = re.search(r"limrisk_kernels_(avx2|avx512)", path)
        if not isa or "kernels_batch_" not in path:
            continue
        loops = {}
        for name, code in functions(path).items():
            if match := re.search(RELU, name):
                loops.setdefault((isa.group(1), match.group(1), int(match.group(2))), []).extend(innermost_loops(code))
        for cell, bodies in loops.items():
            with_maximum = having(bodies, "vmax")
            forward = cost(having(with_maximum, "kmov") or with_maximum, "vmax")
            backward = cost([loop for loop in bodies if loop not in with_maximum], "vcmp", "kmov")
            if forward and backward:
                found[cell] = (forward, backward)
    failed = not found
    for cell, (forward, backward) in sorted(found.items()):
        total, budget = forward + backward, BUDGET.get(cell)
        over = budget is not None and total > 1.05 * budget
        failed |= over
        print(f"{cell[0]} {cell[1]} d={cell[2]}: forward {forward:.2f}, backward {backward:.2f}, together {total:.2f} of {3 * cell[2] + 4}"
              + (f", budget {budget}" if budget else "") + (": EXCEEDED" if over else ""))
    missing = [cell for cell in BUDGET if cell not in found and any(cell[0] == other[0] for other in found)]
    for cell in missing:
        print(f"{cell}: no inner loop found")
    sys.exit(0 if show or not (failed or missing) else 1)


if __name__ == "__main__":
    main()
