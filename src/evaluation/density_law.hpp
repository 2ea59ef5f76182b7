// Laws on an interval that are given by their density: its integral, the inverse of that, and the table of which variates are made.
// docs/numerics.md section 15.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/rule.hpp"
#include "expression/expression.hpp"

namespace limrisk {

/// Of one coordinate of a law that is given by its density (InputLaw::has_table), on its interval: an expression in x1.
std::string density_text(const InputLaw& input);

/// The law on [low, high] whose density is a multiple of an expression in x1.
class DensityLaw {
public:
    /// Throws ConfigError, with the place, if the expression is negative or not finite somewhere, or zero everywhere, or if its integral is
    /// not accurate.
    DensityLaw(const std::string& text, double low, double high);

    kernels::Program program() const { return expression_.program(); }
    /// The expression at x, low <= x <= high.
    double value(double x) const;
    /// Its integral.
    double mass() const { return cumulative_.back(); }
    /// Distribution function of the law.
    double probability(double x) const;
    /// Where the distribution function is u, 0 <= u <= 1, as a share of the way from low to high.
    double quantile(double u) const;
    double low() const { return ends_.front(); }
    double high() const { return ends_.back(); }

private:
    double integral(double from, double to) const;
    void require_density(const std::string& text) const;

    Expression expression_;
    std::vector<double> ends_;        ///< [panels + 1] of the mesh
    std::vector<double> cumulative_;  ///< [panels + 1] integral from low to each of them
};

/// Of one coordinate of a law that is given by its density; the same object for the same law.
std::shared_ptr<const DensityLaw> density_law(const InputLaw& input);

/// The density of a law in dimension 1, or of every coordinate if they are independent and alike.
class Density {
public:
    explicit Density(const InputLaw& input);
    double operator()(double x) const;
    /// Without the constant factor; of a uniform law 1.
    double without_constant(double x) const;
    /// 1/(high - low), 1/(deviation sqrt(2 pi) mass) for normal laws, 1/integral of an expression.
    double normalizer() const { return normalizer_; }

private:
    InputLaw input_;
    std::shared_ptr<const DensityLaw> law_;
    double normalizer_;
};

/// A table of the quantile function of a coordinate as a share of its interval, and what it is made of.
template <class Real>
struct QuantileNumbers {
    std::vector<Real> numbers;
    std::int32_t count = 0, steps = 0;

    kernels::QuantileTable<Real> view() const { return {numbers.data(), count, steps}; }
};

/// Of a law that is given by its density: all coordinates have the same. Throws ConfigError for a law that needs too many pieces.
template <class Real>
std::shared_ptr<const QuantileNumbers<Real>> quantile_table(const InputLaw& input);

}  // namespace limrisk
