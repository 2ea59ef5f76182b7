// A problem is cut out of the canonical description of a cell, so it is spelled as the campaign reader spells it.
#include "optimum/problem.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/cell_description.hpp"

namespace limrisk::optimum {

Problem problem_of(const CellConfig& cell) {
    const nlohmann::json all = nlohmann::json::parse(cell.description);
    nlohmann::json part{{"problem", all.at("problem")}, {"activation", all.at("network").at("activation")}};
    // Noise moves the best network by its mean only.
    part["problem"].erase("noise");
    if (!cell.has_data()) part["problem"]["target"] = cell.regression();
    std::string label = (cell.has_given_points() ? cell.data->hash.substr(0, 8) : cell.regression_label()) + ", " + cell.input_label +
                        ", " + cell.activation_label;
    if (cell.has_final_rule()) {
        part["final_nodes"] = cell.evaluation.final_nodes;
        label += ", final_nodes " + std::to_string(cell.evaluation.final_nodes);
    }
    kernels::Precision precision = kernels::Precision::Float64;
    if (cell.has_data() && cell.precision == kernels::Precision::Float32) {
        precision = cell.precision;
        part["precision"] = "float32";
        label += ", float32";
    }
    if (cell.skip) {
        part["skip"] = true;
        label += ", a skip connection";
    }
    if (!cell.has_squared_loss()) label += ", loss " + cell.loss_label;
    Problem problem{static_cast<const limrisk::Problem&>(cell),
                    cell.activation,
                    cell.activation_label,
                    precision,
                    part.dump(),
                    "",
                    std::move(label),
                    cell.skip};
    problem.target = cell.regression();
    // Of the target and a mean there is none.
    if (cell.noise.mean() != 0) problem.teacher = nullptr;
    problem.noise = {};
    problem.id = cell_id(problem.description);
    return problem;
}

std::vector<ProblemWidth> problems_of(const std::vector<CellConfig>& cells) {
    std::vector<ProblemWidth> problems;
    for (const CellConfig& cell : cells) {
        Problem problem = problem_of(cell);
        const auto known =
            std::find_if(problems.begin(), problems.end(), [&](const ProblemWidth& other) { return other.problem.id == problem.id; });
        if (known == problems.end())
            problems.push_back({std::move(problem), cell.width});
        else
            known->width = std::max(known->width, cell.width);
    }
    return problems;
}

}  // namespace limrisk::optimum
