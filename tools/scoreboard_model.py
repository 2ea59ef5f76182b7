#!/usr/bin/env python3
"""Models how fast a multiprocessor of an H200 runs a train kernel, from its machine code: no GPU, no clock, no claim beyond the
assumptions below.

Usage: scoreboard_model.py [--counts] LISTING...       (--counts: step 1 alone)
Each LISTING is what `nvdisasm -hex -c` prints of the cubin of limrisk_train for sm_90, after one line of what the machine code does not
say, as tests/unit/instruction_count_test writes them where LIMRISK_LISTINGS names a folder:
  // name=h64-d1-sgd width=64 dimension=1 batch=64 tile=8 warps=4 shared=0 registers=93

1. One step of one warp is followed through the code. Counters of loops are computed; where a branch depends on what is not known, no
   loop is left and no slow path of a square root or division is taken.
2. Its instructions are issued by as many warps as registers and shared memory allow, spread over the step, by four schedulers. Every
   instruction of sm_90 says how many cycles the warp waits before its next one (fixed latencies), which of six barriers it sets
   (variable latencies), and which it waits for; the compiler has put that there, and it is read, not guessed.
Printed are issue slots of a step per pipe, the cycles that a warp alone takes, warps per multiprocessor, and the share of the limit: of
all issue slots, how many the 3 d + 4 instructions per sample and neuron need.

Assumptions, for one of four schedulers (32 lanes of a warp over the lanes of a pipe; CUDA C++ Programming Guide, arithmetic
throughput of compute capability 9.0):
  one instruction a cycle; FMA: two halves of 16 lanes, integer multiplications in one of them only; ALU 16 lanes; FP64 16; XU 4
  shuffles, shared and global memory: a queue of 8 instructions each; one instruction a cycle for the four schedulers together, one per
  32 words of 4 bytes
Latencies in cycles: shuffle 23, shared memory 29, global memory 263 (an L2 hit), square roots and reciprocals 23 (microbenchmarks of
the H100, arXiv:2402.13499 and 2501.12084, where they have one; the others by analogy). A warp issues again 8 cycles after a branch.
Left out: misses of the instruction cache, conflicts of register banks, slow paths, divergence. No bank conflicts: lanes read words
side by side.
"""
import math
import re
import sys

ISSUE_SCHEDULERS = 4
REGISTERS, SHARED_BYTES, RESERVED_BYTES, MOST_BLOCKS, MOST_WARPS = 65536, 228 << 10, 1024, 32, 64
LATENCY = {"SHFL": 23, "LDS": 29, "LDG": 263, "LDC": 30, "LD": 263, "S2R": 30, "S2UR": 30}
XU_LATENCY, QUEUE, BRANCH_CYCLES, OPERANDS_READ = 23, 8, 8, 4
PIPES = ("FMA", "ALU", "FP64", "XU", "memory", "shuffle", "branch", "uniform", "other")

FMA = {"FFMA", "FADD", "FMUL", "FFMA32I", "FADD32I", "FMUL32I", "HFMA2", "FSWZADD"}
ALU = {"FMNMX", "FSETP", "FSET", "FSEL", "SEL", "IADD3", "IABS", "ISETP", "LOP3", "SHF", "LEA", "MOV", "PRMT", "VIADD", "VIMNMX",
       "IMNMX", "PLOP3", "P2R", "R2P", "I2FP", "SGXT", "BMSK", "FCHK", "VOTE", "CS2R", "VIADDMNMX", "ISCADD", "FMNMX3"}
XU = {"MUFU", "I2F", "F2I", "F2F", "FRND", "I2I", "POPC", "FLO", "BREV"}
MEMORY = {"LDS", "STS", "LDG", "STG", "LDL", "STL", "LD", "ST", "LDC", "ATOM", "ATOMG", "ATOMS", "RED"}
BRANCH = {"BRA", "BSSY", "BSYNC", "CALL", "RET", "EXIT", "WARPSYNC", "BREAK", "BMOV", "YIELD", "JMP", "BRX"}


class Instruction:
    """One line of machine code. `control`: stall, the barriers set when the result is there and when the operands are read (7: none),
    the mask of barriers waited for."""

    def __init__(self, text, high):
        control = high >> 41
        self.text = text
        self.stall, self.write_bar, self.read_bar, self.waits = control & 15, control >> 5 & 7, control >> 8 & 7, control >> 11 & 63
        match = re.match(r"(?:@(!?)(U?P\w+)\s+)?([\w.]+)\s*(.*)", text)
        self.negated, self.predicate, self.opcode, operands = match.groups()
        self.base, *self.suffixes = self.opcode.split(".")
        self.operands = [operand.strip().replace(".reuse", "") for operand in operands.split(",")] if operands else []
        label = re.search(r"`\((\.L_x_\d+)\)", operands)
        self.label = label.group(1) if label else None
        self.pipe = self.find_pipe()

    def find_pipe(self):
        base = self.base
        if base in BRANCH:
            return "branch"
        if base == "SHFL":
            return "shuffle"
        if base in MEMORY:
            return "memory"
        if base in FMA or base == "IMAD":
            return "FMA"
        if base in ALU:
            return "ALU"
        if base in XU:
            return "XU"
        if base in ("DADD", "DMUL", "DFMA", "DSETP", "DMNMX"):
            return "FP64"
        return "uniform" if base.startswith("U") or base == "R2UR" else "other"

    def data_cycles(self):
        """Cycles of the path to memory and shuffles that the schedulers share."""
        width = 4 if "128" in self.suffixes else 2 if "64" in self.suffixes else 1
        return width if self.base not in ("LDC",) else 1


def read_listing(path):
    """Cell as {key: value}; instructions; {label: number of the instruction after it}, of the first kernel."""
    cell, code, labels, text = {}, [], {}, None
    with open(path, encoding="utf-8") as listing:
        for line in listing:
            if line.startswith("// ") and "width=" in line:
                cell = dict(item.split("=", 1) for item in line[3:].split())
            elif match := re.match(r"(\.L_x_\d+):", line):
                labels[match.group(1)] = len(code)
            elif match := re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;?\s*/\* 0x[0-9a-f]{16} \*/", line):
                text = match.group(1)
            elif text is not None and (match := re.match(r"\s+/\* 0x([0-9a-f]{16}) \*/", line)):
                code.append(Instruction(text, int(match.group(1), 16)))
                text = None
    if not code or not cell:
        raise ValueError(f"{path}: no machine code with encodings, or no line that describes the cell")
    return {key: value if key == "name" else int(value) for key, value in cell.items()}, code, labels


class Values:
    """What is known of registers and predicates while the code is followed; None or absent: unknown."""

    MASK = 0xFFFFFFFF

    def __init__(self):
        self.known = {}

    def number(self, operand):
        """(value, carry of a negation) of a 32-bit operand."""
        if match := re.fullmatch(r"([-~|]?)(U?R(?:\d+|Z))", operand):
            sign, name = match.groups()
            value = 0 if name.endswith("Z") else self.known.get(name)
            if value is None or sign == "|":
                return None
            return value if not sign else (~value & self.MASK) + (sign == "-")
        if match := re.fullmatch(r"-?0x[0-9a-f]+|-?\d+", operand):
            return int(operand, 0) & self.MASK
        return None

    def truth(self, operand):
        inverted = operand.startswith("!")
        name = operand.lstrip("!")
        value = True if name in ("PT", "UPT") else self.known.get(name)
        return None if value is None else value != inverted

    def set(self, name, value):
        if re.fullmatch(r"U?R\d+|U?P\d", name):
            self.known[name] = None if value is None else value & self.MASK if name.lstrip("U")[0] == "R" else value

    def run(self, instruction):
        """Computes what the instruction writes, or forgets it."""
        operands, base, suffixes = instruction.operands, instruction.base, instruction.suffixes
        if base in ("BRA", "EXIT", "BSSY", "BSYNC", "NOP") or not operands or base.startswith("ST"):
            return
        executed = True if instruction.predicate is None else self.truth((instruction.negated or "") + instruction.predicate)
        if executed is False:
            return
        results = self.compute(base.removeprefix("U"), suffixes, operands) if executed else None
        if results is None:
            results = {}
            for operand in operands[:2] if re.fullmatch(r"U?P\w+", operands[0]) or len(operands) > 1 and re.fullmatch(
                    r"U?P\d", operands[1]) else operands[:1]:
                results[operand] = None
            wide = {"64": 2, "128": 4, "WIDE": 2}
            double = base in ("CS2R", "DADD", "DMUL", "DFMA") or suffixes[:1] == ["F64"]
            count = 2 if double else max([1, *(wide.get(s, 1) for s in suffixes)])
            if match := re.fullmatch(r"(U?R)(\d+)", operands[0]):
                results.update({f"{match.group(1)}{int(match.group(2)) + k}": None for k in range(count)})
            if base == "R2P":
                results = {f"P{k}": None for k in range(7) if int(operands[2], 16) >> k & 1}
        for name, value in results.items():
            self.set(name, value)

    def compute(self, base, suffixes, operands):
        """{register or predicate: value} of the integer instructions that count and compare; None for all others."""
        out, rest = operands[0], operands[1:]
        if base in ("IADD3", "VIADD"):
            carries = []
            while rest and re.fullmatch(r"U?P(\d|T)", rest[0]) and len(rest) > 2:
                carries.append(rest.pop(0))
            terms = [self.number(x) for x in rest[:3]]
            ins = [self.truth(x) for x in rest[3:]] if "X" in suffixes else []
            if None in terms or None in ins:
                return {out: None, **{c: None for c in carries}}
            total = sum(terms) + sum(ins)
            return {out: total, **({carries[0]: total > self.MASK} if carries else {})}
        if base == "IMAD" and not {"WIDE", "HI"} & set(suffixes):
            if "MOV" in suffixes:
                return {out: self.number(rest[2])}
            a, b, c = (self.number(x) for x in rest[:3])
            if a is not None and b is not None and a * b == 0 or 0 in (a, b):
                product = 0
            else:
                product = None if None in (a, b) else a * b
            carry = self.truth(rest[3]) if "X" in suffixes and len(rest) > 3 else False
            return {out: None if None in (product, c, carry) else product + c + carry}
        if base == "MOV":
            return {out: self.number(rest[0])}
        if base == "CS2R" and rest[0] == "SRZ":
            number = int(out[1:])
            return {out: 0} if "32" in suffixes else {out: 0, f"R{number + 1}": 0}
        if base == "HFMA2" and rest[:2] == ["-RZ", "RZ"] and rest[2:] == ["0", "0"]:
            return {out: 0}
        if base == "HFMA2" and rest[:2] == ["-RZ", "RZ"]:
            return {out: self.halves(rest[2:])}
        if base == "SEL":
            a, b, which = self.number(rest[0]), self.number(rest[1]), self.truth(rest[2])
            return {out: None if which is None else a if which else b}
        if base == "ISETP":
            return self.compare(suffixes, operands)
        if base == "LOP3":
            predicate = None
            if re.fullmatch(r"U?P(\d|T)", out):
                predicate, out, rest = out, rest[0], rest[1:]
            a, b, c = (self.number(x) for x in rest[:3])
            if None in (a, b, c):
                return {out: None, **({predicate: None} if predicate else {})}
            table, value = int(rest[3], 16), 0
            for bit in range(8):
                if table >> bit & 1:
                    value |= (a if bit & 4 else ~a) & (b if bit & 2 else ~b) & (c if bit & 1 else ~c)
            return {out: value, **({predicate: value & self.MASK != 0} if predicate else {})}
        if base == "SHF":
            low, by, high = (self.number(x) for x in rest[:3])
            if None in (low, by, high):
                return {out: None}
            both = high << 32 | low
            if "L" in suffixes:
                both <<= by & 63
                return {out: both >> 32 if "HI" in suffixes else both}
            if "S64" in suffixes or "S32" in suffixes:
                both -= (high >> 31) << 64
            return {out: high_shift(high, by, suffixes) if "HI" in suffixes else both >> (by & 63)}
        if base == "LEA":
            carries = [rest.pop(0)] if re.fullmatch(r"U?P(\d|T)", rest[0]) else []
            high = "HI" in suffixes
            terms = [self.number(x) for x in rest[: 3 if high else 2]]
            by = self.number(rest[3 if high else 2])
            if None in terms or by is None or "X" in suffixes or "SX32" in suffixes:
                return {out: None, **{c: None for c in carries}}
            shifted = ((terms[2] << 32 | terms[0]) << by) >> 32 & self.MASK if high else terms[0] << by & self.MASK
            total = shifted + terms[1]
            return {out: total, **({carries[0]: total > self.MASK} if carries else {})}
        if base == "PLOP3":
            truths = [self.truth(x) for x in operands[2:5]]
            if None in truths:
                return {operands[0]: None, operands[1]: None}
            bit = truths[0] << 2 | truths[1] << 1 | truths[2]
            return {operands[0]: int(operands[5], 16) >> bit & 1 == 1, operands[1]: int(operands[6], 16) >> bit & 1 == 1}
        return None

    @staticmethod
    def halves(texts):
        """The bits of two half precision numbers, the higher first."""
        import struct
        try:
            bits = [struct.unpack("<H", struct.pack("<e", float(text)))[0] for text in texts]
        except (ValueError, OverflowError):
            return None
        return bits[0] << 16 | bits[1]

    def compare(self, suffixes, operands):
        a, b = self.number(operands[2]), self.number(operands[3])
        other = self.truth(operands[4])
        known = None
        if a is not None and b is not None:
            a, b = a & self.MASK, b & self.MASK
            if "U32" not in suffixes:
                a, b = a - (a >> 31 << 32), b - (b >> 31 << 32)
            relation = suffixes[0]
            known = {"EQ": a == b, "NE": a != b, "LT": a < b, "LE": a <= b, "GT": a > b, "GE": a >= b}[relation]
            if "EX" in suffixes:
                low = self.truth(operands[5])
                if relation == "EQ":
                    known = known and low
                elif relation == "NE":
                    known = known or low
                elif a == b:
                    known = low
        if known is None or other is None:
            return {operands[0]: None, operands[1]: None}
        mix = (lambda x: x and other) if "AND" in suffixes else (lambda x: x or other) if "OR" in suffixes else (lambda x: x != other)
        return {operands[0]: mix(known), operands[1]: mix(not known)}


def high_shift(high, by, suffixes):
    if "S32" in suffixes:
        high -= (high >> 31) << 32
    return high >> (by & 31)


def follow_step(code, labels, most=400_000):
    """Numbers of the instructions that a warp issues in one step, in order: the second pass of the outermost loop."""
    loops = [(k - labels[i.label], labels[i.label]) for k, i in enumerate(code) if i.base == "BRA" and labels.get(i.label, k) < k]
    if not loops:
        raise ValueError("no loop")
    outermost = max(loops)[1]

    starts = set(labels.values())

    def calls(first):
        """Whether the straight piece of code from there on calls a function: the slow path of a square root or a division."""
        for k in range(first, len(code)):
            if k in starts or code[k].base in ("BRA", "CALL", "EXIT"):
                return code[k].base == "CALL" and (k not in starts or k == first)
        return False

    values, trace, passes, at = Values(), [], 0, 0
    for _ in range(most):
        if at >= len(code):
            raise ValueError("the code ended")
        instruction = code[at]
        trace.append(at)
        if instruction.base == "BRA" and instruction.label is not None:
            target = labels[instruction.label]
            taken = True if instruction.predicate is None else values.truth((instruction.negated or "") + instruction.predicate)
            extra = [x for x in instruction.operands[:-1] if re.fullmatch(r"!?U?P\w+", x)]
            if extra and taken is not False:
                truths = [values.truth(x) for x in extra]
                taken = None if None in truths or taken is None else all(truths)
            if taken is None:
                if target < at and target != outermost:
                    raise ValueError(f"it is not known how often the loop of `{instruction.text}` runs")
                taken = target < at or calls(at + 1)
            if taken and target == outermost:
                if passes == 1:
                    return trace
                passes, trace = 1, []
            at = target if taken else at + 1
            continue
        if instruction.base == "EXIT" and instruction.predicate is None:
            raise ValueError("the kernel ended before its second step")
        values.run(instruction)
        at += 1
    raise ValueError("a step of more instructions than can be")


def resident_warps(cell):
    """Warps of a multiprocessor: CUDA's occupancy calculator."""
    per_warp = (cell["registers"] + 7) // 8 * 8 * 32
    blocks = min(MOST_BLOCKS, MOST_WARPS // cell["warps"], REGISTERS // (per_warp * cell["warps"]))
    if cell["shared"]:
        blocks = min(blocks, SHARED_BYTES // (cell["shared"] + RESERVED_BYTES))
    return blocks * cell["warps"]


def issued(code, trace, warps, cycles):
    """Instructions that `warps` warps of a multiprocessor issue in so many cycles, after a quarter as many to warm up; and how many
    slots went unused since a pipe was busy, although a warp was ready."""
    steps = []
    for number in trace:
        i = code[number]
        latency = LATENCY.get(i.base, XU_LATENCY)
        last_taken = i.base in ("BRA", "BSYNC", "CALL", "RET")
        depth = re.fullmatch(r"0x([0-9a-f]+)", i.operands[1]) if i.base == "DEPBAR" and len(i.operands) > 1 else None
        steps.append((i.pipe, max(i.stall, 1, BRANCH_CYCLES if last_taken and i.base == "BRA" else 1), i.waits, i.write_bar, i.read_bar,
                      latency, i.data_cycles(), i.base == "IMAD" and "MOV" not in i.suffixes,
                      (int(i.operands[0][2:]), int(depth.group(1), 16)) if depth else None))
    length, clock, counted, blocked, warm = len(steps), 0, 0, 0, cycles // 4
    shared_path, queues = 0, [[] for _ in range(ISSUE_SCHEDULERS)]
    free = [{"FMA0": 0, "FMA1": 0, "ALU": 0, "FP64": 0, "XU": 0, "uniform": 0} for _ in range(ISSUE_SCHEDULERS)]
    # A warp: place in the step, when it may issue, the times at which what its barriers count is done.
    places = [[(w * 7919 * length // (8 * max(warps, 1))) % length, 0, [[] for _ in range(6)]] for w in range(warps)]
    teams = [places[s::ISSUE_SCHEDULERS] for s in range(ISSUE_SCHEDULERS)]
    busy_cycles = {"ALU": 2, "FP64": 2, "XU": 8, "uniform": 2}
    while clock < cycles + warm:
        soonest = clock + 1 << 20
        for s in range(ISSUE_SCHEDULERS):
            pipes, queue, ready_but_busy = free[s], queues[s], False
            team = teams[s]
            for w, warp in enumerate(team):
                if warp[1] > clock:
                    soonest = min(soonest, warp[1])
                    continue
                pipe, stall, waits, write_bar, read_bar, latency, data, heavy, depth = steps[warp[0]]
                until = clock
                for b in range(6):
                    if waits >> b & 1 and warp[2][b]:
                        until = max(until, max(warp[2][b]))
                        if until <= clock:
                            warp[2][b].clear()
                if depth:
                    times = sorted(warp[2][depth[0]])
                    if len(times) > depth[1]:
                        until = max(until, times[len(times) - depth[1] - 1])
                if until > clock:
                    warp[1] = until
                    soonest = min(soonest, until)
                    continue
                done = clock
                if pipe == "FMA":
                    half = "FMA0" if heavy or pipes["FMA0"] <= clock and pipes["FMA1"] > clock else "FMA1"
                    if pipes[half] > clock and not heavy:
                        half = "FMA0"
                    if pipes[half] > clock:
                        ready_but_busy, soonest = True, clock + 1
                        continue
                    pipes[half] = clock + 2
                elif pipe in busy_cycles:
                    if pipes[pipe] > clock:
                        ready_but_busy, soonest = True, clock + 1
                        continue
                    pipes[pipe] = clock + busy_cycles[pipe]
                elif pipe in ("memory", "shuffle"):
                    while queue and queue[0] <= clock:
                        queue.pop(0)
                    if len(queue) >= QUEUE:
                        ready_but_busy, soonest = True, clock + 1
                        continue
                    shared_path = max(shared_path, clock) + data
                    done = shared_path
                    queue.append(done)
                if write_bar != 7:
                    warp[2][write_bar].append(done + latency)
                if read_bar != 7:
                    warp[2][read_bar].append(done + OPERANDS_READ)
                warp[0] = warp[0] + 1 if warp[0] + 1 < length else 0
                warp[1] = clock + stall
                soonest = min(soonest, clock + 1)
                counted += clock >= warm
                if w:
                    team.insert(0, team.pop(w))  # greedy: the warp that issued goes on
                break
            else:
                blocked += ready_but_busy and clock >= warm
        clock = max(clock + 1, soonest if soonest < clock + 1 << 20 else clock + 1)
    return counted / (clock - warm), blocked / (clock - warm)


def counts(path):
    """Cell, code, numbers of the instructions of a step, and how many of them each pipe gets."""
    cell, code, labels = read_listing(path)
    trace = follow_step(code, labels)
    count = {pipe: 0 for pipe in PIPES}
    for number in trace:
        count[code[number].pipe] += 1
    return cell, code, trace, count


def model(path):
    """Everything that is printed of one listing, as {key: value}."""
    cell, code, trace, count = counts(path)
    useful = cell["batch"] * cell["width"] * (3 * cell["dimension"] + 4) / cell["tile"]
    warps = resident_warps(cell)
    alone, _ = issued(code, trace, 1, max(2 * len(trace) * 4, 20000))
    rate, blocked = issued(code, trace, warps, 30000)
    return {"cell": cell, "count": count, "instructions": len(trace), "useful": useful, "warps": warps,
            "cycles_alone": len(trace) / alone, "issued": rate / ISSUE_SCHEDULERS, "blocked": blocked / ISSUE_SCHEDULERS,
            "share": rate / len(trace) * useful / ISSUE_SCHEDULERS}


def main():
    paths = sys.argv[1:]
    if paths[:1] == ["--counts"]:
        for path in paths[1:]:
            cell, _, trace, count = counts(path)
            print(cell["name"], len(trace), *(count[pipe] for pipe in PIPES))
        return
    if not paths:
        sys.exit(__doc__)
    print("slots of a step of a warp".ljust(24) + "".join(f"{pipe:>9}" for pipe in PIPES) + f"{'all':>9}{'needed':>8}{'alone':>8}"
          f"{'regs':>6}{'warps':>7}{'issued':>8}{'share':>7}")
    for path in paths:
        m = model(path)
        print(m["cell"]["name"].ljust(24) + "".join(f"{m['count'][pipe]:>9}" for pipe in PIPES)
              + f"{m['instructions']:>9}{math.ceil(m['useful']):>8}{m['cycles_alone']:>8.0f}{m['cell']['registers']:>6}{m['warps']:>7}"
              f"{100 * m['issued']:>7.0f}%{100 * m['share']:>6.0f}%")


if __name__ == "__main__":
    main()
