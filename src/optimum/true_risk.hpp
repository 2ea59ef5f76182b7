// The risk of any network, with gradient, Hessian and the gap to the best outer weights: what evidence is made of.
#pragma once
#include <Eigen/Dense>
#include <memory>

#include "evaluation/rule.hpp"
#include "optimum/network.hpp"
#include "optimum/plane_integral.hpp"
#include "optimum/problem.hpp"

namespace limrisk::optimum {

/// Which integral stands for the risk.
enum class Integral {
    Program,  ///< what the program reports as final_risk, up to rounding: exact for d = 1, for d >= 2 the final evaluation rule
    Exact     ///< cell by cell of the lines on which neurons have their kinks; only where has_exact_integral() says so
};

/// d = 1; or d = 2, an activation that is a polynomial of degree 7 at most on both sides of its kinks, and a target without comparisons,
/// which could jump.
bool has_exact_integral(const Problem& problem);

class TrueRisk {
public:
    /// Throws ConfigError for a target that is not finite or cannot be integrated.
    explicit TrueRisk(const Problem& problem, Integral integral = Integral::Program);
    /// The sum of squares over these nodes; their targets are filled here.
    TrueRisk(const Problem& problem, NodeSet rule);

    double operator()(const Network& network) const;
    /// Exact, d = 2: on squares half as long, so that the difference shows how well the target is integrated. Else the same value.
    double finer(const Network& network) const;
    /// Generalized gradient in the order of the parameters.
    Eigen::VectorXd gradient(const Network& network) const;

    /// The risk as a sum of squared residuals r: its value, its gradient 2 J^T r, and 2 J^T J.
    struct Squares {
        double risk = 0;
        Eigen::VectorXd gradient;
        Eigen::MatrixXd gram;  ///< empty unless asked for
    };
    Squares squares(const Network& network, bool with_gram) const;

    /// Second derivatives, the change of the kinks included where the integral is exact; else of the rule's risk, where no node lies on a
    /// kink.
    Eigen::MatrixXd hessian(const Network& network) const;
    /// Risk minus the least risk over the outer weights and bias, and u of a network with a skip connection.
    double least_squares_gap(const Network& network) const;
    /// The network with the best outer weights and bias (of least change where several are).
    Network with_best_outer(const Network& network) const;
    /// Var f(X) and E f(X).
    double variance() const { return variance_; }
    double mean() const { return mean_; }
    /// Whether a risk is 0 up to rounding, on the scale of the variance, or of E f^2 where the variance itself is rounding.
    bool is_zero(double risk) const { return risk <= zero_; }
    double largest_zero() const { return zero_; }

    /// Nodes on which the risk of this network, and of those near it, is a sum of squares.
    NodeSet nodes(const Network& network) const { return nodes(network, 0); }
    /// d = 1 only.
    const LineIntegral& line() const { return *line_; }
    const Problem& problem() const { return problem_; }

private:
    /// On the nodes, times the roots of their weights: outputs of the neurons, 1, and with a skip connection x; target minus network.
    struct Regression {
        Eigen::MatrixXd features;
        Eigen::VectorXd residual;
    };
    Regression regression(const Network& network) const;
    NodeSet nodes(const Network& network, int halvings) const;
    NodeSet line_nodes(const Network& network, int halvings) const;
    void fill_rule();
    void measure_target();
    void add_kinks(const Network& network, Eigen::MatrixXd& hessian) const;

    Problem problem_;
    std::unique_ptr<LineIntegral> line_;    ///< d = 1
    std::unique_ptr<PlaneIntegral> plane_;  ///< d = 2, exact
    NodeSet rule_;                          ///< else
    double mean_ = 0, variance_ = 0, zero_ = 0;
};

/// N(x), and dN/dtheta if `derivatives` (parameters) is not null.
double realization(const kernels::Activation& activation, const Network& network, const double* x, double* derivatives);

}  // namespace limrisk::optimum
