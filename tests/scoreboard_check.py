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
