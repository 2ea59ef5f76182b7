// Search for the least risks and the local minima of d = 1 ReLU networks of all widths up to a largest one.
#pragma once
#include <functional>
#include <vector>

#include "optimum/local_minimum.hpp"
#include "optimum/partition.hpp"

namespace limrisk::optimum {

/// The best of one width.
struct LineOptimum {
    SplineFit fit;
    double gradient = 0, curvature = 1;
    int starts = 0;          ///< of the best function's signature
    int reached = 0;         ///< of them, ended at the best
    double spread = 0;       ///< largest relative difference of the risks of those
    double next = 0;         ///< next larger risk of a local minimum of this width; 0 if none was found
    double lower_bound = 0;  ///< no network of this width has less
    bool attained = true;    ///< false: the target jumps, the infimum is approached by kinks that meet
};

/// How much to try. The defaults find 10 equal digits from independent starts up to width 4 in seconds.
struct LineEffort {
    int all_orientations = 4;      ///< up to this many kinks every orientation is searched; beyond, the most promising
    int random_starts = 48;        ///< per signature, up to all_orientations kinks; fewer beyond
    int known = 0;                 ///< widths 0 .. known - 1 have been searched before: no random starts there
    std::function<void()> poll{};  ///< called before each descent; may throw
    std::function<void(int width, const LineOptimum&)> done{};  ///< called with each width as it is found
};

/// The local minima found of one signature, best first.
struct SignatureSearch {
    Signature signature;
    int starts = 0;
    std::vector<LocalMinimum> minima;
};

/// A level of a width: a local minimum, and what certifies it, in the coordinates (c, slope, bends, kinks) of the normalized problem.
struct LineLevel {
    SplineFit fit;
    Eigen::MatrixXd hessian;
    std::vector<double> gradient;  ///< by the kinks; by the other coordinates it is 0
    double normalized_risk = 0;    ///< over Var f
    double rounding = 0;           ///< how far rounding errors of the target move that
};

/// Searches in normalized coordinates, so that nothing depends on the units of x and f; what it gives is in the units of the problem.
class ReluLine {
public:
    /// `skip`: of networks with a skip connection, which any slope at the low end costs no neuron
    ReluLine(const LineIntegral& integral, int largest, const LineEffort& effort = {}, bool skip = false);
    ReluLine(const ReluLine&) = delete;
    ReluLine& operator=(const ReluLine&) = delete;

    /// [0..largest]
    const std::vector<LineOptimum>& optima() const { return optima_; }
    /// All local minima found whose networks need at most `width` neurons: the levels of that width, ascending; equal risks once.
    std::vector<LineLevel> levels(int width) const;
    /// Whether two risks are one level: equal to `level_tolerance` or what rounding of the target explains, or both those of an exact
    /// representation.
    bool same_risk(double a, double b) const;

private:
    void search(const Signature& signature, const std::vector<std::vector<double>>& starts);
    std::vector<std::vector<double>> starts(std::size_t kinks, int random) const;
    std::vector<std::vector<bool>> orientations(std::size_t kinks) const;
    void search_kinks(std::size_t kinks);
    void search_jumps(std::size_t neurons);
    /// In normalized coordinates; with `limits` also the best functions that jump, which no network attains.
    std::vector<LocalMinimum> minima(int width, bool limits) const;
    LineOptimum best(int width) const;
    std::size_t neurons(const Signature& signature) const { return signature.neurons() - (skip_ ? 1 : 0); }
    double risk_unit() const { return integral_.units().scale * integral_.units().scale; }

    LineIntegral integral_;  ///< normalized
    SplineRisk risk_;
    LineEffort effort_;
    bool skip_;  ///< then all signatures are linear, at the price of no neuron
    std::vector<Partition> partitions_;
    std::vector<double> grid_;
    std::vector<SignatureSearch> searches_;
    std::vector<LineOptimum> optima_;
};

/// Risks that agree to this relative difference are one level.
inline constexpr double level_tolerance = 1e-8;

}  // namespace limrisk::optimum
