// Integrals against the law of a two-dimensional input, cell by cell of the arrangement of given lines: exact up to rounding where the
// integrand is smooth in each cell, as the squared residual of a ReLU network is.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "campaign/cell.hpp"
#include "evaluation/rule.hpp"
#include "expression/expression.hpp"
#include "optimum/polygon.hpp"

namespace limrisk::optimum {

/// The box (of a normal law: mean +- 8.5 deviations cut to it) in squares that are halved where 8 x 8 Gauss points do not yet integrate f,
/// f^2 and their moments: up to 1024 of them. Squares are cut by the lines; triangles of the pieces get 64 nodes each.
class PlaneIntegral {
public:
    /// Throws ConfigError where the target is not finite.
    explicit PlaneIntegral(const limrisk::Problem& problem);

    /// Nodes of all cells. `halvings`: every square is first cut in 4^halvings, for an independent finer value.
    NodeSet nodes(const std::vector<Line>& lines, int halvings = 0) const;
    /// Nodes along `line` inside the domain, weighted with density and length, split where another line crosses.
    NodeSet along(const Line& line, const std::vector<Line>& lines) const;
    /// Largest estimated relative error of the integrals of f and f^2.
    double error() const { return error_; }

private:
    struct Square {
        Point low, high;
        NodeSet nodes{};  ///< of the whole square
    };
    void append(const Point& point, double weight, NodeSet& nodes) const;
    void append(const Square& square, const std::vector<Line>& lines, int halvings, NodeSet& nodes) const;
    void append_whole(const Square& square, NodeSet& nodes) const;
    std::vector<double> functionals(const NodeSet& nodes) const;
    void refine();

    std::string target_;
    Expression expression_;
    std::array<InputLaw, 2> inputs_;  ///< of the coordinates
    double normalizer_;               ///< product of those of the coordinates
    std::vector<Square> squares_;
    double error_ = 0;
};

}  // namespace limrisk::optimum
