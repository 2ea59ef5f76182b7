// Integrals against the law of a one-dimensional input: 8-point Gauss-Legendre between the points of the target's mesh and further
// points (kinks), the rule of the program's own accurate risk (docs/numerics.md section 10). In the units of the problem, or without units.
#pragma once
#include <vector>

#include "campaign/cell.hpp"
#include "evaluation/density_law.hpp"
#include "evaluation/rule.hpp"
#include "expression/expression.hpp"

namespace limrisk::optimum {

/// A node of the rule: position, weight (density included) and target.
struct LineNode {
    double x, weight, target;
};

/// x = origin + span t, f = mean + scale g: the problem's own x and f, and the t and g in which an integral is written.
struct LineUnits {
    double origin = 0, span = 1, mean = 0, scale = 1;
};

class LineIntegral {
public:
    /// In the problem's own units. Throws ConfigError where the target is not finite or cannot be integrated.
    explicit LineIntegral(const limrisk::Problem& problem);
    /// The same integral where the domain is [0, 1] and the target has mean 0 and variance 1; a target that is constant as far as rounding
    /// can tell keeps its scale.
    LineIntegral normalized() const;
    const LineUnits& units() const { return units_; }

    double low() const { return place(mesh_.front()); }
    double high() const { return place(mesh_.back()); }
    double length() const { return high() - low(); }
    double density(double x) const;
    double target(double x) const;
    /// Ends of the panels, in the problem's own x: breaks of the target among them.
    const std::vector<double>& mesh() const { return mesh_; }
    /// Where the target jumps, ascending: there the infimum of the risk is not attained by continuous functions.
    const std::vector<double>& jumps() const { return jumps_; }
    /// `count` + 1 points with both ends, dense where kinks may be needed: half by density^(1/5), half by the panels of the mesh.
    std::vector<double> grid(int count) const;

    /// Bound of the root mean square of the target's rounding errors over the nodes of the mesh: each from the target's enclosure at that
    /// point, and one rounding of the largest value more.
    double noise() const { return noise_ / units_.scale; }
    /// Points closer than this may round to one x.
    double resolution() const;

    /// The nodes of [from, to], split at the mesh, in ascending order, appended to `nodes`.
    void append_nodes(double from, double to, std::vector<LineNode>& nodes) const;

private:
    double place(double own) const { return (own - units_.origin) / units_.span; }
    double own_place(double x) const;
    double own_target(double own) const;
    void append_panel(double from, double to, std::vector<LineNode>& nodes) const;
    void find_jumps(const std::vector<double>& breaks);
    void bound_noise();

    InputLaw input_;
    Expression expression_;
    Density density_;
    LineUnits units_;
    std::vector<double> mesh_, jumps_;
    std::vector<LineNode> mesh_nodes_;  ///< [panels][8], so that a panel without kink costs no target
    double noise_ = 0;                  ///< in the problem's own units
};

}  // namespace limrisk::optimum
