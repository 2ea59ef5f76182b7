#!/usr/bin/env python3
"""Writes tests/unit/statistics_known.hpp: intervals, tests and probabilities computed by SciPy and mpmath, which share no code with limrisk.

Run once, by hand, with SciPy 1.17 and mpmath 1.3 from PyPI: python3 tools/scipy_statistics.py > tests/unit/statistics_known.hpp
"""
import sys

import mpmath as mp
import scipy
from scipy import optimize, stats

mp.mp.dps = 60


def number(x):
    return mp.nstr(mp.mpf(x), 17) if not isinstance(x, int) else str(x)


def table(struct, name, comment, rows):
    print(f"\n// {comment}\ninline constexpr {struct} {name}[] = {{")
    for row in rows:
        print("    {" + ", ".join(number(x) for x in row) + "},")
    print("};")


def tail(successes, trials, p, step):
    """P(X <= successes) for step -1, P(X >= successes) for step 1, by summing the binomial law."""
    x, q = mp.mpf(p), 1 - mp.mpf(p)
    term = mp.exp(mp.loggamma(trials + 1) - mp.loggamma(successes + 1) - mp.loggamma(trials - successes + 1)
                  + successes * mp.log(x) + (trials - successes) * mp.log(q))
    total, k = mp.mpf(0), successes
    while 0 <= k <= trials and (term > total * mp.mpf(10) ** -25 or (k - trials * x) * step < 0):
        total += term
        term *= (trials - k) * x / ((k + 1) * q) if step > 0 else k * q / ((trials - k + 1) * x)
        k += step
    return total


def polished(successes, trials, start, level, step):
    """The p near SciPy's where the tail is `level`: SciPy's own values are wrong by 1e-11 for 2 of 10^6 and by 1e-8 for 1 of 10^9."""
    log_odds = mp.log(mp.mpf(start) / (1 - mp.mpf(start)))
    f = lambda t: mp.log(tail(successes, trials, 1 / (1 + mp.exp(-t)), step) / level)
    with mp.workdps(40):
        p = 1 / (1 + mp.exp(-mp.findroot(f, (log_odds, log_odds + mp.mpf("1e-9")), solver="secant", tol=1e-40)))
    assert abs(p - start) <= 1e-7 * p
    return p


def clopper_pearson():
    for trials in (1, 2, 10, 37, 256, 4096, 65536, 1000000, 10**9):
        for successes in sorted({0, 1, 2, trials // 1000, trials // 7, trials // 2, trials - 1, trials}):
            if not 0 <= successes <= trials or (trials == 10**9 and successes not in (1, 2, 10**6)):
                continue
            for confidence in (0.95, 0.999):
                level = (1 - confidence) / 2
                low, high = 0, 1
                if successes:
                    low = polished(successes, trials, stats.beta.ppf(level, successes, trials - successes + 1), level, 1)
                if successes < trials:
                    high = polished(successes, trials, stats.beta.isf(level, successes + 1, trials - successes), level, -1)
                yield successes, trials, confidence, low, high


def inverse_sampling():
    """p where scipy.stats.nbinom (failures before the r-th success) has the tail probability."""
    for events, trials in ((1, 1), (1, 20), (2, 3), (5, 5), (10, 1000), (100, 317), (1000, 1000000), (1000, 1003)):
        level = 0.025
        failures = trials - events
        solve = lambda f: optimize.brentq(f, 1e-12, 1 - 1e-13, xtol=1e-300, rtol=1e-15, maxiter=1000)
        low = solve(lambda p: stats.nbinom.cdf(failures, events, p) - level)
        high = solve(lambda p: stats.nbinom.sf(failures - 1, events, p) - level) if failures else 1
        yield events, trials, 0.95, low, high


def confidence_sequence():
    for successes, trials, confidence in ((0, 1, 0.95), (1, 1, 0.95), (0, 4096, 0.95), (1, 4096, 0.95), (3, 10, 0.95), (3, 10, 0.5),
                                          (50, 100, 0.99), (4095, 4096, 0.95), (123, 65536, 0.95), (32768, 65536, 0.95),
                                          (1, 1000000, 0.95), (500000, 1000000, 0.95), (999999, 1000000, 0.999), (10, 10**9, 0.95)):
        hits, misses = mp.mpf(successes), mp.mpf(trials - successes)
        half = mp.mpf(1) / 2

        def excess(p):  # logarithm of the mixture martingale over its bound
            power = lambda count, x: count * mp.log(x) if count else mp.mpf(0)
            beta = mp.loggamma(hits + half) + mp.loggamma(misses + half) - mp.loggamma(hits + misses + 1) - mp.log(mp.pi)
            return beta - power(hits, p) - power(misses, 1 - p) + mp.log(1 - mp.mpf(confidence))

        def bisect(outside, inside):
            for _ in range(220):
                middle = (outside + inside) / 2
                outside, inside = (middle, inside) if excess(middle) > 0 else (outside, middle)
            return inside

        share = hits / trials
        low = bisect(mp.mpf("1e-60"), share) if successes else mp.mpf(0)
        high = bisect(1 - mp.mpf("1e-55"), share) if successes < trials else mp.mpf(1)
        yield successes, trials, confidence, low, high


def binomial_tails():
    for successes, trials, p in ((0, 5, 0.3), (5, 5, 0.3), (3, 10, 0.5), (40, 1000, 0.05), (375100, 1000000, 0.375), (7, 10**6, 1e-5),
                                 (24001000, 64000000, 0.375), (200, 300, 0.5)):
        below, above = tail(successes, trials, p, -1), tail(successes, trials, p, 1)
        assert abs(below - stats.binom.cdf(successes, trials, p)) <= 1e-9 * below + 1e-300
        assert abs(above - stats.binom.sf(successes - 1, trials, p)) <= 1e-9 * above + 1e-300
        yield successes, trials, p, below, above


def mcnemar():
    for first, second in ((0, 0), (1, 0), (0, 6), (3, 12), (120, 85), (4000, 4300)):
        p = stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
        yield first, second, p


SWEEPS = {  # (width, trials, events)
    "one": ((1, 1000, 380), (2, 1000, 610), (4, 1000, 850), (8, 1000, 975), (16, 1000, 1000)),
    "two": ((1, 50, 3), (3, 70, 5), (5, 60, 4)),
    "three": ((1, 4096, 1536), (2, 4096, 2496), (4, 4096, 3470), (8, 4096, 4001), (16, 4096, 4094), (32, 4096, 4096)),
}


def rates():
    """Maximum likelihood and profile-likelihood interval by mpmath, 30 digits."""
    chi_square = 2 * mp.erfinv(mp.mpf("0.95")) ** 2
    for index, sweep in enumerate(SWEEPS.values()):
        for with_intercept in (False, True):

            def value(rate, intercept):
                total = mp.mpf(0)
                for width, trials, events in sweep:
                    eta = intercept + rate * width
                    total += (events * mp.log(-mp.expm1(-eta)) if events else 0) - (trials - events) * eta
                return total

            def scores(rate, intercept):
                g = [events / mp.expm1(intercept + rate * w) - (trials - events) for w, trials, events in sweep]
                return sum(g), sum(w * x for (w, _, _), x in zip(sweep, g))

            def best_intercept(rate):
                if not with_intercept:
                    return mp.mpf(0)
                low, high = max(-rate * w for w, _, _ in sweep) + mp.mpf("1e-40"), mp.mpf(100)
                for _ in range(200):
                    middle = (low + high) / 2
                    low, high = (middle, high) if scores(rate, middle)[0] > 0 else (low, middle)
                return low

            def bisect(f, low, high):  # f falls
                for _ in range(120):
                    middle = (low + high) / 2
                    low, high = (middle, high) if f(middle) > 0 else (low, middle)
                return low

            rate = bisect(lambda r: scores(r, best_intercept(r))[1], mp.mpf("1e-9"), mp.mpf(5))
            top = value(rate, best_intercept(rate))
            above = lambda r: value(r, best_intercept(r)) - top + chi_square / 2
            low = -bisect(lambda r: above(-r), -rate, mp.mpf(1) if with_intercept else mp.mpf("-1e-9"))
            high = bisect(above, rate, mp.mpf(5))
            yield index, int(with_intercept), rate, best_intercept(rate), low, high


def faddeeva():
    for x in ("0", "1e-8", "0.1", "0.25", "0.4", "0.767", "1.3", "2.6", "3.07", "5.9", "7.2", "30", "1e4"):
        for y in ("0", "1e-9", "0.05", "0.5", "2", "6.1", "6.2", "40", "1e5"):
            z = mp.mpc(x, y)
            if abs(z) < 30:
                w = mp.exp(-z * z) * mp.erfc(-1j * z)
            else:  # Laplace's continued fraction
                w = mp.mpf(0)
                for k in range(400, 0, -1):
                    w = mp.mpf(k) / 2 / (z - w)
                w = 1j / mp.sqrt(mp.pi) / (z - w)
            yield mp.mpf(x), mp.mpf(y), w.real, w.imag


def normal_tails():
    """q_k = P(-b >= |w_1| + ... + |w_k|), w normal: b normal (by the Fourier integral on the real line, in 70 digits or more), and
    w ~ N(0, 2), b ~ U(-1, 1): 1/2 E (1 - |w_1| - ... - |w_k|)_+ (by power series). No contour integral as in limrisk."""
    transform = lambda s: mp.exp(s * s / 2) * mp.erfc(s / mp.sqrt(2))
    for k in (1, 2, 3, 4, 5, 8, 13, 16, 32, 64):
        with mp.workdps(70 if k < 20 else 130):
            integrand = lambda t: mp.im(mp.exp(-t * t / 2) * transform(1j * t) ** k) / t
            # S' = b + sum has characteristic function exp(-t^2/2) F(-i t)^k; P(S' <= 0) = 1/2 - (1/pi) int Im(phi)/t
            points = [mp.mpf(0)] + [mp.mpf(j) / 2 for j in range(1, 25)] + [14, 17, 20, 26 if k > 20 else 20]
            normal = mp.mpf(1) / 2 + mp.quad(integrand, sorted(set(points))) / mp.pi
            # The density of |w| is sum_m (-1)^m u^(2m) / (4^m m! sqrt(pi)); u^n has the transform n! / s^(n+1), and conversely.
            terms = 90
            factor = [(-1) ** m * mp.factorial(2 * m) / (mp.mpf(4) ** m * mp.factorial(m)) / mp.sqrt(mp.pi) for m in range(terms)]
            power = [mp.mpf(1)] + [mp.mpf(0)] * (terms - 1)
            for _ in range(k):
                power = [mp.fdot(power[: m + 1], factor[m::-1]) for m in range(terms)]
            mixed = mp.fsum(c / mp.factorial(k + 2 * m + 1) for m, c in enumerate(power)) / 2
        yield k, normal, mixed


def normal_boxes():
    """P(b + sum_k max(w_k low, w_k high) <= 0) for w ~ N(0, 0.8^2) on boxes that are not symmetric, b ~ N(0, 0.6^2) and b ~ U(-0.5, 0.5): the
    inversion integral in 30 digits on a vertical line, not on limrisk's hyperbola."""
    transform = lambda z: mp.exp(z * z / 2) * mp.erfc(z / mp.sqrt(2))
    ends = [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400]
    with mp.workdps(30):
        for low, high in ((0.5, 1.0), (2.0, 3.0), (-0.3, 2.0), (-2.0, -0.5)):
            for d in (8, 20):
                line = mp.mpf(2) if low < 0 < high else mp.mpf("0.7")
                total = lambda s: ((transform(0.8 * high * s) + transform(-0.8 * low * s)) / 2) ** d / s
                normal = lambda s: mp.exp(mp.mpf(0.6) ** 2 * s * s / 2)
                uniform = lambda s: mp.sinh(s / 2) / (s / 2)
                value = lambda bias: mp.quad(lambda t: mp.re(bias(mp.mpc(line, t)) * total(mp.mpc(line, t))), ends) / mp.pi
                yield low, high, d, value(normal), value(uniform)


def main():
    print(f"// Known values, written by tools/scipy_statistics.py with SciPy {scipy.__version__} and mpmath {mp.__version__}; do not edit.")
    print("#pragma once\n#include <cstdint>\n\nnamespace limrisk::known {\n")
    print("struct CountInterval {\n    std::int64_t successes, trials;\n    double confidence, low, high;\n};")
    print("struct Tails {\n    std::int64_t successes, trials;\n    double p, at_most, at_least;\n};")
    print("struct Discordant {\n    std::int64_t only_first, only_second;\n    double p_value;\n};")
    print("struct Rate {\n    int sweep, with_intercept;\n    double rate, intercept, low, high;\n};")
    print("struct Complex {\n    double x, y, real, imaginary;\n};")
    print("struct NormalBox {\n    double low, high;\n    std::int64_t dimension;\n    double normal_bias, uniform_bias;\n};")
    print("struct NormalTail {\n    std::int64_t count;\n    double normal_bias, uniform_bias;\n};")
    table("CountInterval", "clopper_pearson", "mpmath, from scipy.stats.beta quantiles on.", clopper_pearson())
    table("CountInterval", "inverse_sampling", "scipy.stats.nbinom, solved for p.", inverse_sampling())
    table("CountInterval", "confidence_sequence", "mpmath: roots of the mixture martingale.", confidence_sequence())
    table("Tails", "binomial_tails", "mpmath, agreeing with scipy.stats.binom to 1e-9.", binomial_tails())
    table("Discordant", "mcnemar", "scipy.stats.binomtest.", mcnemar())
    table("Rate", "rates", "mpmath: maximum likelihood, profile-likelihood interval of 95 %.", rates())
    table("Complex", "faddeeva", "mpmath: exp(-z^2) erfc(-i z), z = x + i y.", faddeeva())
    table("NormalTail", "normal_tails", "mpmath: P(-b >= |w_1| + ... + |w_k|), b, w ~ N(0, 1); b ~ U(-1, 1), w ~ N(0, 2).", normal_tails())
    table("NormalBox", "normal_boxes", "mpmath: w ~ N(0, 0.8^2) on [low, high]^d, b ~ N(0, 0.6^2); b ~ U(-0.5, 0.5).", normal_boxes())
    print("\n}  // namespace limrisk::known")


if __name__ == "__main__":
    sys.exit(main())
