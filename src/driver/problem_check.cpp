// A problem is what is left of a cell when network, training and tracking are put to defaults.
#include "driver/problem_check.hpp"

#include <set>

#include "backend/cell_plan.hpp"
#include "campaign/cell_description.hpp"
#include "evaluation/sight.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

CellConfig problem_of(const CellConfig& cell) {
    CellConfig problem;
    static_cast<Problem&>(problem) = static_cast<const Problem&>(cell);
    problem.precision = cell.precision;
    if (cell.has_full_batch()) problem.batch = cell.batch;
    return problem;
}

}  // namespace

void check_problems(const Campaign& campaign) {
    std::set<std::string> seen;
    std::vector<std::string> problems;
    for (const CellConfig& cell : campaign.cells) {
        const CellConfig problem = problem_of(cell);
        if (!seen.insert(describe(problem)).second) continue;
        try {
            const CellPlan plan(problem);
            if (problem.has_data()) continue;
            const kernels::Cell& tables = plan.cell();
            require_seen(cell.input, tables.target, tables.check_nodes, cell.target, "evaluation.nodes");
            if (cell.has_final_rule()) require_seen(cell.input, tables.target, tables.final_nodes, cell.target, "evaluation.final_nodes");
        } catch (const ConfigError& error) {
            problems.insert(problems.end(), error.problems().begin(), error.problems().end());
        }
    }
    if (!problems.empty()) throw ConfigError(problems);
}

}  // namespace limrisk
