// The true risk of any network, with gradient, Hessian and the gap to the best outer weights: what evidence is made of.
#pragma once
#include <Eigen/Dense>
#include <memory>

#include "evaluation/rule.hpp"
#include "optimum/network.hpp"
#include "optimum/problem.hpp"

namespace limrisk::optimum {

/// The risk that the program reports as final_risk, up to rounding: for d = 1 by Gauss-Legendre between kinks and breaks of the target, for
/// d >= 2 by the final evaluation rule of the problem's cell.
class TrueRisk {
public:
    /// Throws ConfigError for a target that is not finite or cannot be integrated.
    explicit TrueRisk(const Problem& problem);

    double operator()(const Network& network) const;
    /// Generalized gradient in the order of the parameters.
    Eigen::VectorXd gradient(const Network& network) const;
    /// Second derivatives. d = 1: of the true risk, the change of the kinks included; d >= 2: of the rule's risk, where no node lies on a
    /// kink.
    Eigen::MatrixXd hessian(const Network& network) const;
    /// Risk minus the least risk over the outer weights and bias.
    double least_squares_gap(const Network& network) const;
    /// The network with the best outer weights and bias (of least change where several are).
    Network with_best_outer(const Network& network) const;
    /// Var f(X).
    double variance() const { return variance_; }

    /// Nodes on which the risk of this network, and of those near it, is a sum of squares.
    NodeSet nodes(const Network& network) const;
    /// d = 1 only.
    const LineIntegral& line() const { return *line_; }
    const Problem& problem() const { return problem_; }

private:
    /// On the nodes, times the roots of their weights: outputs of the neurons and 1, and target minus network.
    struct Regression {
        Eigen::MatrixXd features;
        Eigen::VectorXd residual;
    };
    Regression regression(const Network& network) const;
    NodeSet line_nodes(const Network& network, int halvings) const;

    Problem problem_;
    std::unique_ptr<LineIntegral> line_;  ///< d = 1
    NodeSet rule_;                        ///< d >= 2
    double variance_ = 0;
};

/// N(x), and dN/dtheta if `derivatives` (parameters) is not null.
double realization(const kernels::Activation& activation, const Network& network, const double* x, double* derivatives);

}  // namespace limrisk::optimum
