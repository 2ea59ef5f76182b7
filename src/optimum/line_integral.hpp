// Integrals against the law of a one-dimensional input: 8-point Gauss-Legendre between the points of the target's mesh and further
// points (kinks), the rule of the program's own accurate risk (docs/numerics.md section 10).
#pragma once
#include <vector>

#include "campaign/cell.hpp"
#include "evaluation/rule.hpp"
#include "expression/expression.hpp"

namespace limrisk::optimum {

/// A node of the rule: position, weight (density included) and target.
struct LineNode {
    double x, weight, target;
};

class LineIntegral {
public:
    /// Throws ConfigError where the target is not finite or cannot be integrated.
    explicit LineIntegral(const CellConfig& cell);

    double low() const { return mesh_.front(); }
    double high() const { return mesh_.back(); }
    double length() const { return high() - low(); }
    double density(double x) const;
    double target(double x) const;
    /// Ends of the panels: breaks of the target among them.
    const std::vector<double>& mesh() const { return mesh_; }
    /// Where the target jumps, ascending: there the infimum of the risk is not attained by continuous functions.
    const std::vector<double>& jumps() const { return jumps_; }
    /// Points of equal probability under density^(1/5), `count` + 1 of them with both ends: where kinks may be needed.
    std::vector<double> grid(int count) const;

    /// The nodes of [from, to], split at the mesh, in ascending order, appended to `nodes`.
    void append_nodes(double from, double to, std::vector<LineNode>& nodes) const;

private:
    void append_panel(double from, double to, std::vector<LineNode>& nodes) const;

    InputLaw input_;
    Expression expression_;
    double normalizer_;
    std::vector<double> mesh_, jumps_;
    std::vector<LineNode> mesh_nodes_;  ///< [panels][8], so that a panel without kink costs no target
};

}  // namespace limrisk::optimum
