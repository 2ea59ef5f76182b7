#!/usr/bin/env python3
"""Derives the polynomial coefficients of kernels/elementary.hpp (needs mpmath).

Each polynomial interpolates its function at Chebyshev nodes in 60-digit arithmetic, which is within a small
factor of minimax. Prints the coefficients, lowest order first, rounded to the precision, and the largest
relative error of the exact polynomial (the rounding of the evaluation comes on top and is tested in C++).
"""
import struct
from mpmath import mp, mpf, chop, cos, erfc, exp, log, matrix, lu_solve, pi, sin, sqrt, tanh

mp.dps = 60


def chebyshev_fit(function, low, high, count):
    """Coefficients c with sum c_k t^k = function(t) at `count` Chebyshev nodes of [low, high]."""
    nodes = [(low + high) / 2 + (high - low) / 2 * cos((2 * k + 1) * pi / (2 * count)) for k in range(count)]
    vandermonde = matrix(count, count)
    for i, t in enumerate(nodes):
        for k in range(count):
            vandermonde[i, k] = t**k
    return list(lu_solve(vandermonde, matrix([function(t) for t in nodes])))


def rounded(value, double):
    return float(value) if double else struct.unpack("f", struct.pack("f", float(value)))[0]


def report(name, double, coefficients, exact, approximate, low, high):
    precision = "double" if double else "float"
    values = [rounded(c, double) for c in coefficients]
    worst = 0
    for k in range(1, 2000):
        x = low + (high - low) * mpf(k) / 2000
        if exact(x) == 0:
            continue
        worst = max(worst, abs(approximate(x, values) / exact(x) - 1))
    print(f"{name} {precision}: max relative error {mp.nstr(worst, 3)}")
    print("   " + ", ".join((f"{v:.17g}" if double else f"{v:.9g}") for v in values))


def horner(values, t):
    total = mpf(0)
    for v in reversed(values):
        total = total * t + mpf(v)
    return total


def main():
    tiny = mpf(10) ** -25
    half_ln2 = log(2) / 2 * mpf("1.001")
    quarter_pi = pi / 4 * mpf("1.0001")
    for double in (False, True):
        # exp(r) = 1 + r + r^2 Q(r)
        q = lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > tiny else mpf(1) / 2
        report("exp Q(r)", double, chebyshev_fit(q, -half_ln2, half_ln2, 11 if double else 6), exp,
               lambda r, c: 1 + r + r**2 * horner(c, r), -half_ln2, half_ln2)
        # log(1+f) = 2 s + s z R(z), s = f/(2+f), z = s^2
        z_max = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2 * mpf("1.001")
        r_of = lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z
        report("log R(z)", double, chebyshev_fit(r_of, tiny, z_max, 7 if double else 4),
               lambda s: log((1 + s) / (1 - s)), lambda s, c: 2 * s + s**3 * horner(c, s * s), tiny, sqrt(z_max))
        # sin(r) = r + r^3 S(r^2)
        s_of = lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t
        report("sin S(r^2)", double, chebyshev_fit(s_of, tiny, quarter_pi**2, 7 if double else 4), sin,
               lambda r, c: r + r**3 * horner(c, r * r), tiny, quarter_pi)
        # cos(r) = 1 - r^2/2 + r^4 C(r^2)
        c_of = lambda t: (cos(sqrt(t)) - 1 + t / 2) / t**2
        report("cos C(r^2)", double, chebyshev_fit(c_of, mpf(10) ** -12, quarter_pi**2, 7 if double else 4), cos,
               lambda r, c: 1 - r**2 / 2 + r**4 * horner(c, r * r), tiny, quarter_pi)
        # tanh(x) = x + x^3 T(x^2) on |x| <= 0.625
        t_of = lambda t: (tanh(sqrt(t)) / sqrt(t) - 1) / t
        edge = mpf("0.6251")
        report("tanh T(x^2)", double, chebyshev_fit(t_of, tiny, edge**2, 13 if double else 6), tanh,
               lambda x, c: x + x**3 * horner(c, x * x), tiny, edge)
        # Phi(-a) = exp(-a^2 / 2) P(s), s = (a - 4) / (a + 4), fitted up to a = 6 and 9; beyond, the bell is below half a unit of 1
        bell = lambda a: exp(-a * a / 2)
        a_of = lambda s: 4 * (1 + s) / (1 - s)
        last = mpf(9 if double else 6)
        p_of = lambda s: erfc(a_of(s) / sqrt(2)) / 2 / bell(a_of(s))
        report("Phi P(s)", double, chebyshev_fit(p_of, mpf(-1), (last - 4) / (last + 4), 20 if double else 10),
               lambda a: erfc(a / sqrt(2)) / 2, lambda a, c: bell(a) * horner(c, (a - 4) / (a + 4)), mpf(0), last)

    for bits, parts, precision in ((24, 3, "float"), (53, 3, "double")):
        for name, constant in (("ln2", log(2)), ("pi/2", pi / 2)):
            rest, pieces = constant, []
            for k in range(parts):
                # ln2 high keeps trailing zeros so that n * ln2_high is exact for every exponent n
                keep = bits - 11 if (name == "ln2" and k == 0) else bits
                exponent = int(mp.floor(mp.log(abs(rest), 2)))
                unit = mpf(2) ** (exponent - keep + 1)
                piece = mp.nint(rest / unit) * unit
                pieces.append(piece)
                rest -= piece
            print(f"{name} {precision}: " + ", ".join((f"{float(p):.17g}" if bits == 53 else f"{float(p):.9g}") for p in pieces))


if __name__ == "__main__":
    main()
