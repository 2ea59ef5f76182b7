// The scalar lane of kernels/, and the normal distribution function by series and continued fraction.
#include "evaluation/scalar.hpp"

#include "kernels/elementary.hpp"
#include "kernels/loss.hpp"
#include "kernels/quantile.hpp"
#include "kernels/target.hpp"

namespace limrisk {
namespace {

constexpr double inverse_sqrt_two_pi = 0.39894228040143267794;

/// Density of the standard normal law; the rounding error of z^2 is put back, since exp would multiply it by z^2 / 2.
double normal_density(double z) {
    const double square = z * z;
    const double lost = kernels::fma(z, z, -square);
    return inverse_sqrt_two_pi * (exponential(-0.5 * square) * kernels::fma(-0.5, lost, 1.0));
}

/// P(0 < Z < z) = density(z) (z + z^3/3 + z^5/(3*5) + ...), 0 <= z <= 1, from 20 terms.
double central_probability(double z) {
    const double square = z * z;
    double term = z, sum = z;
    for (int k = 1; k <= 20; ++k) {
        term = term * square / (2 * k + 1);
        sum += term;
    }
    return normal_density(z) * sum;
}

/// P(Z > z) = density(z) / (z + 1/(z + 2/(z + 3/(z + ...)))) for z >= 1 (Laplace), evaluated from its 600th term.
double tail_probability(double z) {
    double fraction = z;
    for (int k = 600; k >= 1; --k) fraction = z + k / fraction;
    return normal_density(z) / fraction;
}

}  // namespace

double loss_of(const kernels::Loss& loss, double residual) {
    return kernels::with_loss(loss.kind, [&](auto tag) {
        const kernels::Residual<decltype(tag)::kind, double> share(loss, 0, residual, 0, 1);
        return share.weighted * share.factor;
    });
}

double evaluate_target(const kernels::Program& program, const double* inputs) {
    double stack[kernels::max_program_depth];
    kernels::run_target<double>(program, inputs, 1, 0, 1, stack);
    return stack[0];
}

double exponential(double x) { return kernels::exp(x); }

double normal_quantile(double p) { return kernels::normal_quantile(p); }

double quantile(const kernels::QuantileTable<double>& table, double u) { return kernels::quantile(table, u); }

double normal_probability(double z) {
    if (z > 0) return 1 - normal_probability(-z);
    if (z < -40) return 0;
    return z <= -1 ? tail_probability(-z) : 0.5 - central_probability(-z);
}

double normal_mass(double low, double high) {
    if (low > 0) return normal_probability(-low) - normal_probability(-high);
    return normal_probability(high) - normal_probability(low);
}

}  // namespace limrisk
