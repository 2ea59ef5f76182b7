// What an optimum belongs to: the input law, the target, the activation, and the rule that stands for the true risk.
#pragma once
#include <string>
#include <vector>

#include "campaign/campaign.hpp"

namespace limrisk::optimum {

/// The problem of a campaign, and an activation. Cells that differ in training only share it, hence its optima.
struct Problem : limrisk::Problem {
    kernels::Activation activation{};
    std::string activation_label;
    kernels::Precision precision = kernels::Precision::Float64;  ///< to which data points are rounded; of other problems float64
    std::string description;  ///< canonical JSON: "problem", "activation", "final_nodes" where there is a final rule, "precision" of data
                              ///< points, "skip" of networks with a skip connection
    std::string id;           ///< XXH3-128 of the description, 32 hexadecimal digits
    std::string label;  ///< "x1^2, uniform on [0, 1], relu"; with ", final_nodes 16" where there is a final rule: tells the problems of a
                        ///< campaign apart
    bool skip = false;  ///< whether its networks have a skip connection
};

/// `cell`: with its description and labels filled, as a campaign or cell_from_description gives it.
Problem problem_of(const CellConfig& cell);

/// The distinct problems of a campaign in the order in which they appear, each with the largest width asked for.
struct ProblemWidth {
    Problem problem;
    std::int64_t width = 0;
};
std::vector<ProblemWidth> problems_of(const std::vector<CellConfig>& cells);

}  // namespace limrisk::optimum
