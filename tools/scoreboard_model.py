#!/usr/bin/env python3
"""Models how fast a multiprocessor of an H200 runs a train kernel, from its machine code: no GPU, no clock, no claim beyond the
assumptions below.

Usage: scoreboard_model.py [--counts] LISTING...       (--counts: step 1 alone)
       scoreboard_model.py --tracking STEPS CHECKS STEP LAST EACH...
               (listings: of the train kernel; of the last check; of the kernels of each check before)
Each LISTING is what `nvdisasm -hex -c` prints of the cubin of limrisk_train for sm_90, after one line of what the machine code does not
say, as tests/unit/instruction_count_test writes them where LIMRISK_LISTINGS names a folder:
  // name=h64-d1-sgd width=64 dimension=1 batch=64 tile=8 warps=4 shared=0 registers=93
With kernel=NAME that kernel is followed from its first instruction to its end; its arguments stand in a further line:
  // constants ADDRESS BYTES       (hexadecimal: of the constant bank, where they start)

1. One step of one warp is followed through the code. Counters of loops are computed; where a branch depends on what is not known, no
   loop is left and no slow path of a square root or division is taken. In a kernel that is followed as a whole no loop is entered by
   such a branch either: it would be work for the few replicas that have diverged, or are better than before.
2. Its instructions are issued by as many warps as registers and shared memory allow, spread over the step, by four schedulers. Every
   instruction of sm_90 says how many cycles the warp waits before its next one (fixed latencies), which of six barriers it sets
   (variable latencies), and which it waits for; the compiler has put that there, and it is read, not guessed.
Printed are issue slots of a step per pipe, the cycles that a warp alone takes, warps per multiprocessor, and the share of the limit: of
all issue slots, how many the 3 d + 4 instructions per sample and neuron need.

Assumptions, for one of four schedulers (32 lanes of a warp over the lanes of a pipe; CUDA C++ Programming Guide, arithmetic
throughput of compute capability 9.0):
  one instruction a cycle; FMA: two halves of 16 lanes, integer multiplications in one of them only; ALU 16 lanes; FP64 16; XU 4
  shuffles, shared and global memory: a queue of 8 instructions each; one instruction a cycle for the four schedulers together, one per
  32 words of 4 bytes; loads of which all lanes read one address take one (shared memory broadcasts a word)
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
        self.broadcasts = True  # a load: as far as it was followed, all lanes read one address

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
        if self.broadcasts and self.base in ("LDS", "LDG"):
            return 1
        width = 4 if "128" in self.suffixes else 2 if "64" in self.suffixes else 1
        return width if self.base not in ("LDC",) else 1


def read_listing(path):
    """Cell as {key: value}, with the constant bank as "constants"; instructions; {label: number of the instruction after it}, of the
    first kernel or of the one that the cell names."""
    cell, code, labels, text, constants, inside = {}, [], {}, None, {}, True
    with open(path, encoding="utf-8") as listing:
        for line in listing:
            if line.startswith("// ") and "width=" in line:
                cell = dict(item.split("=", 1) for item in line[3:].split())
                inside = "kernel" not in cell
            elif line.startswith("// constants "):
                _, _, start, digits = line.split()
                constants = dict(enumerate(bytes.fromhex(digits), int(start, 16)))
            elif match := re.match(r"\.text\.(\w+):", line):
                inside = match.group(1) == cell.get("kernel", match.group(1))
            elif not inside:
                continue
            elif match := re.match(r"(\.L_x_\d+):", line):
                labels[match.group(1)] = len(code)
            elif match := re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;?\s*/\* 0x[0-9a-f]{16} \*/", line):
                text = match.group(1)
            elif text is not None and (match := re.match(r"\s+/\* 0x([0-9a-f]{16}) \*/", line)):
                code.append(Instruction(text, int(match.group(1), 16)))
                text = None
    if not code or not cell:
        raise ValueError(f"{path}: no machine code with encodings, or no line that describes the cell")
    cell = {key: value if key in ("name", "kernel") else int(value) for key, value in cell.items()}
    return {**cell, "constants": constants}, code, labels


class Values:
    """What is known of registers and predicates while the code is followed; None or absent: unknown."""

    MASK = 0xFFFFFFFF

    def __init__(self, constants=None):
        self.known = {}
        self.alike = set()  # registers and predicates of which it is known that all lanes have the same; those of the warp are left out
        self.thread = None  # the register with the number of the thread
        self.constants = constants or {}

    def constant(self, offset, size=4):
        """Little-endian bytes of the constant bank."""
        found = [self.constants.get(offset + k) for k in range(size)]
        return None if None in found else int.from_bytes(bytes(found), "little")

    def number(self, operand):
        """(value, carry of a negation) of a 32-bit operand."""
        if match := re.fullmatch(r"([-~|]?)(U?R(?:\d+|Z))", operand):
            sign, name = match.groups()
            value = 0 if name.endswith("Z") else self.known.get(name)
            if value is None or sign == "|":
                return None
            return value if not sign else (~value & self.MASK) + (sign == "-")
        if match := re.fullmatch(r"([-~]?)c\[0x0\]\[(0x[0-9a-f]+)\]", operand):
            value = self.constant(int(match.group(2), 16))
            return value if value is None or not match.group(1) else (~value & self.MASK) + (match.group(1) == "-")
        if match := re.fullmatch(r"-?0x[0-9a-f]+|-?\d+", operand):
            return int(operand, 0) & self.MASK
        return None

    def follow_lanes(self, instruction):
        """Notes what an instruction writes as alike in all lanes, or not; and of a load whether it reads one address."""
        written, read = instruction.operands[:1], instruction.operands[1:]
        if instruction.base.startswith("ST"):
            return
        if len(read) > 1 and re.fullmatch(r"U?P(\d|T)", read[0]) and not instruction.base.startswith("SEL"):
            written = written + [read[0]]
        words = 4 if "128" in instruction.suffixes else 2  # a register more than is read says nothing that would be wrong
        alike = instruction.base not in ("SHFL", "S2R", "CS2R") or instruction.operands[1:2] in (["SRZ"], ["SR_CTAID.X"])
        for operand in read + [instruction.predicate or "PT"]:
            for name, number in re.findall(r"\b(U?[RP])(\d+)\b", operand):
                wide = "64" in operand or instruction.pipe == "FP64" or "WIDE" in instruction.suffixes
                for k in range(2 if wide and name.endswith("R") else 1):
                    alike = alike and name.startswith("U") or alike and f"{name}{int(number) + k}" in self.alike
        if instruction.opcode == "SHF.R.U32.HI" and read[:2] == ["RZ", "0x5"] and read[2] == self.thread:
            alike = True  # the number of the warp in its block
        if instruction.base == "S2R" and read == ["SR_TID.X"]:
            self.thread = instruction.operands[0]
        elif instruction.operands[:1] == [self.thread]:
            self.thread = None
        if instruction.base in ("LDS", "LDG"):
            instruction.broadcasts = instruction.broadcasts and alike
        for operand in written:
            if match := re.fullmatch(r"(R|P)(\d+)(?:\.64)?", operand):
                for k in range(words if match.group(1) == "R" else 1):
                    name = f"{match.group(1)}{int(match.group(2)) + k}"
                    wide = instruction.pipe == "FP64" or {"64", "128", "WIDE"} & set(instruction.suffixes) or instruction.base == "CS2R"
                    if alike and (k == 0 or wide):
                        self.alike.add(name)
                    elif k == 0 or wide:
                        self.alike.discard(name)

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
            return {out: total, **{c: total >> 32 > k for k, c in enumerate(carries)}}
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
        if base == "IMAD" and "WIDE" in suffixes and "X" not in suffixes and len(rest) == 3:
            return self.wide_product("U32" in suffixes, out, *rest)
        if base in ("MOV", "R2UR"):
            return {out: self.number(rest[0])}
        if base == "LDC":
            return self.load_constant(suffixes, out, rest[0])
        if base == "S2R" or base == "2UR":  # S2UR without its U: the first lane of the first block
            return {out: 0 if rest[0] in ("SR_TID.X", "SR_CTAID.X") else None}
        if base == "PRMT":
            low, chosen, high = (self.number(x) for x in rest[:3])
            if None in (low, chosen, high):
                return {out: None}
            both, value = high << 32 | low & self.MASK, 0
            for k in range(4):
                nibble = chosen >> 4 * k & 15
                byte = both >> 8 * (nibble & 7) & 255
                value |= (255 * (byte >> 7) if nibble & 8 else byte) << 8 * k
            return {out: value}
        if base == "VIMNMX":
            a, b, least = self.number(rest[0]), self.number(rest[1]), self.truth(rest[2])
            if None in (a, b, least):
                return {out: None}
            values = [x & self.MASK if "U32" in suffixes else (x & self.MASK) - ((x & self.MASK) >> 31 << 32) for x in (a, b)]
            return {out: min(values) if least else max(values)}
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
        if base == "DSETP":
            return self.compare(["DOUBLE", *suffixes], operands)
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
            if high and {"X", "SX32"} <= set(suffixes) and len(rest) == 4:
                a, b, by, carry = self.number(rest[0]), self.number(rest[1]), self.number(rest[2]), self.truth(rest[3])
                if None in (a, b, by, carry) or carries:
                    return {out: None}
                return {out: (((a & self.MASK) - ((a & self.MASK) >> 31 << 32)) >> 32 - by) + b + carry}
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

    def wide_product(self, unsigned, out, first, second, added):
        """A product of 32-bit numbers and a 64-bit number in two registers."""
        factors = [self.number(first), self.number(second)]
        pair = re.fullmatch(r"(U?R)(\d+|Z)", added)
        if None in factors or not pair or not re.fullmatch(r"U?R\d+", out):
            return None
        low = self.number(added)
        high = 0 if pair.group(2) == "Z" else self.known.get(f"{pair.group(1)}{int(pair.group(2)) + 1}")
        if low is None or high is None:
            return None
        factors = [x & self.MASK if unsigned else (x & self.MASK) - ((x & self.MASK) >> 31 << 32) for x in factors]
        total = factors[0] * factors[1] + (high << 32 | low)
        name = re.match(r"U?R", out).group()
        return {out: total, f"{name}{int(out[len(name):]) + 1}": total >> 32}

    def load_constant(self, suffixes, out, place):
        """From the constant bank, at a place that may be the sum of a register and a number."""
        match = re.fullmatch(r"c\[0x0\]\[(?:(U?R\w+)\+)?(0x[0-9a-f]+)\]", place)
        name = re.match(r"U?R", out).group()
        first = out[len(name):]
        added = self.number(match.group(1)) if match and match.group(1) else 0
        if not match or first == "Z" or added is None:
            return None
        start = int(match.group(2), 16) + added
        size = 1 if suffixes and suffixes[0] in ("U8", "S8") else 4
        return {f"{name}{int(first) + k}": self.constant(start + 4 * k, size) for k in range(2 if "64" in suffixes else 1)}

    @staticmethod
    def halves(texts):
        """The bits of two half precision numbers, the higher first."""
        import struct
        try:
            bits = [struct.unpack("<H", struct.pack("<e", float(text)))[0] for text in texts]
        except (ValueError, OverflowError):
            return None
        return bits[0] << 16 | bits[1]

    def real(self, operand):
        """A double: in the constant bank, in two registers, or zero; None if unknown."""
        import struct
        if operand in ("RZ", "URZ"):
            return 0.0
        if match := re.fullmatch(r"c\[0x0\]\[(0x[0-9a-f]+)\]", operand):
            bits = self.constant(int(match.group(1), 16), 8)
        elif match := re.fullmatch(r"(U?R)(\d+)", operand):
            halves = [self.known.get(f"{match.group(1)}{int(match.group(2)) + k}") for k in range(2)]
            bits = None if None in halves else halves[1] << 32 | halves[0]
        else:
            return None
        return None if bits is None else struct.unpack("<d", struct.pack("<Q", bits))[0]

    def compare(self, suffixes, operands):
        other = self.truth(operands[4])
        known = None
        if suffixes[0] == "DOUBLE":
            a, b, suffixes = self.real(operands[2]), self.real(operands[3]), suffixes[1:]
            if None not in (a, b):
                known = {"EQ": a == b, "NEU": a != b, "LT": a < b, "LE": a <= b, "GT": a > b, "GE": a >= b}.get(suffixes[0])
            a = b = None
        else:
            a, b = self.number(operands[2]), self.number(operands[3])
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


def follow_step(code, labels, constants=None, whole=False, most=400_000):
    """Numbers of the instructions that a warp issues in one step, in order: the second pass of the outermost loop; in the whole kernel if
    that is asked for."""
    loops = [(k - labels[i.label], labels[i.label]) for k, i in enumerate(code) if i.base == "BRA" and labels.get(i.label, k) < k]
    if not loops and not whole:
        raise ValueError("no loop")
    outermost = None if whole else max(loops)[1]

    starts, loop_ends = set(labels.values()), {k for k, i in enumerate(code)
                                               if i.base == "BRA" and labels.get(i.label, k) < k}

    def calls(first):
        """Whether the straight piece of code from there on calls a function: the slow path of a square root or a division."""
        for k in range(first, len(code)):
            if k in starts or code[k].base in ("BRA", "CALL", "EXIT"):
                return code[k].base == "CALL" and (k not in starts or k == first)
        return False

    values, trace, passes, at = Values(constants), [], 0, 0
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
            if "DIV" in instruction.suffixes:
                taken = False  # the lanes are together
            if taken is None:
                if target < at and target != outermost:
                    raise ValueError(f"it is not known how often the loop of `{instruction.text}` runs")
                taken = target < at or calls(at + 1) or whole and any(at < k < target for k in loop_ends)
            if taken and target == outermost:
                if passes == 1:
                    return trace
                passes, trace = 1, []
            at = target if taken else at + 1
            continue
        if instruction.base == "EXIT":
            ended = True if instruction.predicate is None else values.truth((instruction.negated or "") + instruction.predicate)
            if ended and whole:
                return trace
            if ended:
                raise ValueError("the kernel ended before its second step")
        values.follow_lanes(instruction)
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
    trace = follow_step(code, labels, cell["constants"], "kernel" in cell)
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


def cycles_of(path):
    """Cycles for which a scheduler issues one warp's step, or its whole kernel, when as many warps as fit take turns."""
    cell, code, trace, _ = counts(path)
    warps = resident_warps(cell)
    rate, _ = issued(code, trace, warps, min(max(len(trace), 30000), 60000))
    return len(trace), ISSUE_SCHEDULERS * len(trace) / rate, warps


def print_tracking(steps, checks, step, last, *each):
    """The share of the checks in all modelled time: `steps` steps, `checks` checks of the kernels `each`, and the last one."""
    of_step, of_last, of_each = cycles_of(step), cycles_of(last), [cycles_of(path) for path in each]
    for path, (instructions, cycles, warps) in zip((step, last, *each), (of_step, of_last, *of_each)):
        print(f"{path}:{instructions:8} instructions{cycles:11.0f} cycles of a scheduler, {warps} warps")
    tracked = checks * sum(cycles for _, cycles, _ in of_each) + of_last[1]
    print(f"share of the checks {100 * tracked / (tracked + steps * of_step[1]):.1f} %")


def main():
    paths = sys.argv[1:]
    if paths[:1] == ["--tracking"]:
        print_tracking(int(paths[1]), int(paths[2]), *paths[3:])
        return
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
