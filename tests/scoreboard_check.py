#!/usr/bin/env python3
"""tools/scoreboard_model.py on code whose answers are known: loops, pipes, latencies, occupancy. Usage: scoreboard_check.py TOOLS_FOLDER"""
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import scoreboard_model as model  # noqa: E402

failures = 0


def expect(what, found, wanted, tolerance=0.0):
    global failures
    if not abs(found - wanted) <= tolerance:
        failures += 1
        print(f"{what}: {found}, not {wanted}")


def line(text, stall=1, write_bar=7, waits=0):
    """An instruction as nvdisasm -hex prints it."""
    control = stall | 1 << 4 | write_bar << 5 | 7 << 8 | waits << 11
    return f"        /*0000*/                   {text} ;    /* 0x{0:016x} */\n    /* 0x{control << 41:016x} */\n"


def listing(body, registers=128, warps=4, shared=0):
    """A kernel whose step is `body`, as a file."""
    text = f"// name=x width=8 dimension=1 batch=8 tile=8 warps={warps} shared={shared} registers={registers}\n"
    text += line("MOV R1, RZ") + ".L_x_0:\n" + body + line("@P0 BRA `(.L_x_0)", 5) + line("EXIT")
    file = tempfile.NamedTemporaryFile("w", suffix=".sass", delete=False)
    file.write(text)
    file.close()
    return file.name


def kernel(body, constants):
    """A kernel that is followed as a whole, with bytes of the constant bank from 0x218 on."""
    file = tempfile.NamedTemporaryFile("w", suffix=".sass", delete=False)
    file.write("// name=x width=8 dimension=1 batch=8 tile=8 warps=4 shared=0 registers=64 kernel=second\n"
               f"// constants 0x218 {constants}\n.text.first:\n" + line("EXIT") + ".text.second:\n" + body + ".L_x_9:\n"
               + line("BRA `(.L_x_9)"))
    file.close()
    return file.name


def rate(body, warps):
    _, code, trace, _ = model.counts(listing(body))
    return model.issued(code, trace, warps, 20000)[0] / model.ISSUE_SCHEDULERS


def main():
    # A loop of five passes, counted in a register; one that a 64-bit counter with a carry ends.
    loop = (line("MOV R2, RZ") + ".L_x_1:\n" + line("FFMA R9, R9, R9, R9") + line("IADD3 R2, R2, 0x1, RZ")
            + line("ISETP.NE.AND P1, PT, R2, 0x5, PT") + line("@P1 BRA `(.L_x_1)", 5))
    _, _, trace, count = model.counts(listing(loop))
    expect("instructions with a loop of five passes", len(trace), 1 + 5 * 4 + 1)
    expect("of these FMA", count["FMA"], 5)
    expect("of these branches", count["branch"], 6)
    wide = (line("CS2R R2, SRZ") + ".L_x_1:\n" + line("IADD3 R2, P1, R2, 0x4, RZ") + line("IMAD.X R3, RZ, RZ, R3, P1")
            + line("ISETP.GE.U32.AND P1, PT, R2, 0x40, PT") + line("ISETP.GE.AND.EX P1, PT, R3, RZ, PT, P1")
            + line("@!P1 BRA `(.L_x_1)", 5))
    expect("instructions with a loop of sixteen passes", len(model.counts(listing(wide))[2]), 1 + 16 * 5 + 1)
    # The slow path of a division is not taken.
    division = line("@!P2 BRA `(.L_x_2)", 5) + line("MOV R4, 0x10") + line("CALL.REL.NOINC `(slow)", 5) + ".L_x_2:\n"
    expect("instructions beside a slow path", len(model.counts(listing(division))[2]), 2)

    # A whole kernel whose loop the constant bank counts: 7 passes, as a 64-bit number at 0x218. A branch that nothing is known of skips
    # the loop behind it, and a double 0 at 0x220 is not below 0.
    whole = (line("LDC.64 R2, c[0x0][0x218]") + line("CS2R R4, SRZ") + ".L_x_1:\n" + line("IADD3 R4, P1, R4, 0x1, RZ")
             + line("IMAD.X R5, RZ, RZ, R5, P1") + line("ISETP.GE.U32.AND P1, PT, R4, R2, PT")
             + line("ISETP.GE.AND.EX P1, PT, R5, R3, PT, P1") + line("@!P1 BRA `(.L_x_1)", 5) + line("LDG.E R6, desc[UR4][R8.64]")
             + line("ISETP.NE.AND P2, PT, R6, RZ, PT") + line("@P2 BRA `(.L_x_2)", 5) + ".L_x_3:\n" + line("NOP") + line("@P3 BRA `(.L_x_3)", 5)
             + ".L_x_2:\n" + line("ULDC.64 UR4, c[0x0][0x220]") + line("DSETP.LT.AND P0, PT, RZ, UR4, PT") + line("@!P0 EXIT")
             + line("NOP") + line("EXIT"))
    _, _, trace, count = model.counts(kernel(whole, "07" + 15 * "00"))
    expect("instructions of a whole kernel", len(trace), 2 + 7 * 5 + 3 + 3)
    expect("the same with a number above 0", len(model.counts(kernel(whole, "07" + 13 * "00" + "f03f"))[2]), 2 + 7 * 5 + 3 + 5)
    # Which loads read one address in all lanes: not by the number of the thread, but by that of its warp.
    loads = (line("S2R R2, SR_TID.X") + line("LDS.128 R4, [R2]") + line("SHF.R.U32.HI R3, RZ, 0x5, R2") + line("LDS.128 R8, [R3]")
             + line("IADD3 R3, R3, R2, RZ") + line("LDS.128 R12, [R3+0x10]") + line("LDS.128 R16, [UR4]") + line("EXIT"))
    _, code, trace, _ = model.counts(kernel(loads, "00"))
    expect("cycles of loads", [code[k].data_cycles() for k in trace if code[k].base == "LDS"] == [4, 1, 4, 1], True)

    # 200 instructions hide that of the branch. One a cycle; a warp alone that waits four cycles for each; pipes of half a warp.
    fma = line("FFMA R9, R8, R8, R9")
    expect("FMA, one warp a scheduler", rate(200 * fma, 4), 1, 0.06)
    expect("FMA that wait for each other, one warp", rate(200 * line("FFMA R9, R8, R8, R9", 4), 4), 0.25, 0.02)
    expect("FMA that wait for each other, three warps", rate(200 * line("FFMA R9, R8, R8, R9", 4), 12), 0.75, 0.03)
    expect("comparisons", rate(200 * line("FSETP.GT.AND P1, PT, R8, RZ, PT"), 16), 0.5, 0.02)
    expect("comparisons and FMA in turn", rate(100 * (fma + line("FSETP.GT.AND P1, PT, R8, RZ, PT")), 16), 1, 0.03)
    expect("double precision", rate(200 * line("DFMA R8, R8, R8, R8"), 16), 0.5, 0.02)
    expect("integer multiplications", rate(200 * line("IMAD R8, R8, R8, R8"), 16), 0.5, 0.02)
    expect("shuffles of four schedulers", rate(200 * line("SHFL.BFLY PT, R8, R8, 0x1, 0x1f"), 16), 0.25, 0.02)
    # A load and what waits for it: 29 cycles and one on the way.
    waits = line("LDS R8, [R7]", 1, write_bar=0) + line("FADD R9, R8, R9", 1, waits=1)
    expect("loads that are waited for", rate(100 * waits, 1) * 4, 2 / 31, 0.005)

    for registers, warps, shared, resident in ((128, 4, 0, 16), (129, 4, 0, 12), (168, 4, 0, 12), (255, 4, 0, 8), (32, 4, 0, 64),
                                               (64, 4, 123904, 4), (64, 1, 30976, 7), (32, 1, 0, 32)):
        expect(f"warps of {registers} registers", model.resident_warps({"registers": registers, "warps": warps, "shared": shared}), resident)
    sys.exit(failures > 0)


main()
