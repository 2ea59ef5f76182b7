// Faddeeva function of a complex argument: the Laplace transform of half-normal variates needs it, and Boost.Math has none.
#pragma once
#include <complex>

namespace limrisk {

/// w(z) = exp(-z^2) erfc(-i z) in the closed upper half plane. Relative error below 5e-15 (tests/unit/statistics_faddeeva_test.cpp).
/// Modified trapezoidal rules of Matta and Reichel (1971) with the choice between them of Al Azah and Chandler-Wilde (2021),
/// "Computation of the complex error function using modified trapezoidal rules", SIAM J. Numer. Anal. 59, 2346-2367, 12 terms.
std::complex<double> faddeeva(std::complex<double> z);

/// F(z) = E exp(-z |G|) = w(i z / sqrt 2) for G standard normal, on the whole plane (an entire function). Overflows to infinity for
/// Re(z^2) > 1416 in the left half plane.
std::complex<double> half_normal_transform(std::complex<double> z);

}  // namespace limrisk
