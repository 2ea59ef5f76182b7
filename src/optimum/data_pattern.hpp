// Kinks of ReLU neurons between and on finitely many points of one input, and the least-squares fit of such a pattern: docs/optimum.md,
// "Data points with one input".
#pragma once
#include <Eigen/Dense>
#include <optional>
#include <vector>

#include "evaluation/rule.hpp"

namespace limrisk::optimum::patterns {

using Real = long double;
/// Of the networks that are searched on data points.
inline constexpr int widest = 4;
inline constexpr int most_unknowns = 1 + 3 * widest;  ///< c; of each neuron two, and a slope that nothing decides
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1, 0, most_unknowns + 1, 1>;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, 0, most_unknowns + 1, most_unknowns + 1>;

/// Conditions that are missed by less are taken to hold within rounding; those that hold by more are proved, up to rounding.
inline constexpr Real margin = 1e-9L;
/// Of the squares of sines: columns nearer to the span of others depend on them.
inline constexpr Real dependent = 1e-12L;
/// What rounding can make of a condition, as long as no column is nearer than that: a pattern that misses one by more is excluded.
inline constexpr Real excluded = 1e-6L;
/// Columns that depend on others exactly are nearer to them than this, by rounding.
inline constexpr Real surely_dependent = 1e-16L;

/// The different inputs of positive weight, ascending, in coordinates in which they reach from -1 to 1 and the outputs have mean 0 and
/// variance 1; and what sums over ranges of them need.
class Points {
public:
    explicit Points(const NodeSet& nodes);
    int count() const { return static_cast<int>(x.size()); }
    /// Sums over the points first .. end - 1.
    Real w(int first, int end) const { return difference(w_, first, end); }
    Real wx(int first, int end) const { return difference(wx_, first, end); }
    Real wxx(int first, int end) const { return difference(wxx_, first, end); }
    Real wy(int first, int end) const { return difference(wy_, first, end); }
    Real wxy(int first, int end) const { return difference(wxy_, first, end); }

    std::vector<double> inputs;          ///< as they are
    std::vector<Real> x, weight, sum_y;  ///< [count]; sum_y: weight times mean output
    Real square = 0;                     ///< mean square of the outputs
    Real middle = 0, reach = 1, output_mean = 0, output_scale = 1;

private:
    static Real difference(const std::vector<Real>& sums, int first, int end) {
        return sums[static_cast<std::size_t>(end)] - sums[static_cast<std::size_t>(first)];
    }
    std::vector<Real> w_, wx_, wxx_, wy_, wxy_;
};

/// Where a neuron has its kink, and on which side it is active.
struct Place {
    enum Kind { All, Gap, Point } kind = All;  ///< beyond all points, between the points `at` and `at` + 1, on the point `at`
    bool left = false;                         ///< active to the left of the kink
    int at = 0;
    int first = 0, end = 0;  ///< the points on which it is active
};

/// Of one neuron: beyond all points, in each gap, on each point; on both sides. None for fewer than two different inputs.
std::vector<Place> places_of(int count);

/// constant + slope x on the points first .. end - 1, and 0 elsewhere.
struct Column {
    int first, end;
    Real constant, slope;
};

/// What a neuron adds on the points on which it is active: constant + slope x.
struct Affine {
    Real constant, slope;
};

/// A network in the coordinates of the points.
struct Fitted {
    Real outer_bias;
    std::vector<Affine> neurons;
};

/// Neurons at given places: the fit, and what it takes to be a local minimum.
class Pattern {
public:
    Pattern(const Points& points, const std::vector<Place>& places);

    /// The fit with kinks where they are to be, for each choice of signs of v for which there is one; none if it is no local minimum.
    std::vector<Fitted> local_minima() const;

    /// Whether the fit may be a network of the pattern: it is, or misses that by no more than rounding can be.
    bool may_be_a_network() const;
    /// False where rounding decides whether columns depend on others, and so what the fit is.
    bool is_clear() const { return clear_; }

    /// Of the fit: no network of the pattern has less, in units of Points::square.
    Real risk() const { return risk_; }
    /// The Hessian of the risk in the coefficients.
    Eigen::MatrixXd hessian() const { return 2 * gram_.cast<double>(); }

private:
    Real x_of(int k) const { return points_.x[static_cast<std::size_t>(k)]; }

    void fit();

    /// N at a point.
    Real value(int k) const;

    /// Of weight (N - y) over the points on which the neuron is active.
    Real sum_of_residuals(const Place& place) const;

    /// `choice`: bit i is set where neuron i has v < 0. `slack`: by how much conditions may be missed.
    std::optional<Fitted> with_signs(unsigned choice, Real slack) const;

    const Points& points_;
    const std::vector<Place>& places_;
    std::vector<Column> columns_;
    Matrix gram_;
    Vector solution_;
    Matrix free_;  ///< by columns directions that change no output
    Real risk_ = 0;
    bool clear_ = true;
};

}  // namespace limrisk::optimum::patterns
