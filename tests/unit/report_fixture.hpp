// A summary filled by hand: 4 trials of widths 1 and 4, with everything that a store can know.
#pragma once
#include <limits>
#include <string>

#include "analysis/summary.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk::testing {

/// What a name may not do: run in a shell or gnuplot, end a string, become a tag or an attribute, break XML.
inline const std::string hostile =
    "`touch pwned` $(touch pwned) \"'\\ <script>alert(1)</script> ]]> &amp; @macro _a^b{c} \n!touch pwned\nEOD\nsystem('touch pwned') \x01 "
    "\xFF \xC3";

inline RiskDistribution risks_of(std::vector<double> risks) {
    std::vector<TrialRecord> records(risks.size());
    for (std::size_t k = 0; k < risks.size(); ++k) records[k].tail_mean = risks[k];
    return aggregate_records(records.data(), static_cast<std::int64_t>(records.size()), 0).tail_mean;
}

/// 4 trials: limiting risks 0.01, 0.02, 1 and infinity; 2 certified, 3 above the optimum of 0.01.
inline CellSummary cell_summary(std::int64_t index, std::int64_t width) {
    CellSummary cell;
    cell.cell.index = index;
    cell.cell.id = "id-" + std::to_string(index);
    cell.cell.width = width;
    cell.cell.activation_label = "relu";
    cell.cell.initialization_label = "pytorch";
    cell.cell.optimizer_label = "adam(0.01)";
    cell.cell.input_label = "uniform on [0, 1]";
    cell.cell.sampling_label = "fresh";
    cell.done = cell.stored = 4;
    cell.exclusion = {1, "by hand"};
    cell.certified = 2;
    cell.certified_share = clopper_pearson(2, 4);
    cell.mean_inactive_initial = cell.mean_inactive_final = 0.5;
    cell.verdicts = {1, 1, 1, 1};
    const RiskRange median{0.02, 0.02};
    cell.final_risk = cell.limiting_risk = {0.01, std::numeric_limits<double>::infinity(), 0, {0.01, 0.01}, median, {1, 1}};
    cell.best_risk = 0.005;
    cell.best_trial = 0;
    cell.aggregate.trials = 4;
    cell.aggregate.inactive_initial = cell.aggregate.inactive_final = {{0, 1}, {2, 2}};
    cell.aggregate.tail_mean = risks_of({0.01, 0.02, 1, std::numeric_limits<double>::infinity()});
    cell.optimum = KnownOptimum{};
    cell.optimum->risk = 0.01;
    cell.prediction.probability = InactiveProbability{0.25, 0, ProbabilityMethod::ClosedForm};
    cell.prediction.bound = non_convergence_bound(0.25, width);
    cell.measured = Measured{};
    cell.measured->optimum = 0.01;
    cell.measured->threshold = 0.0101;
    cell.measured->above_least = cell.measured->above_most = 3;
    cell.measured->share = clopper_pearson(3, 4);
    cell.measured->best_ratio = 0.5;
    cell.floors = {{0, 2, 0.01, 0.001}, {1, 2, 0.02, std::nullopt}};
    LevelStatement levels;
    levels.catalogue = true;
    levels.tolerance = 1e-3;
    LevelShare own, other;
    own.name = "R";
    own.risk = 0.01;
    own.optimum_of = width;
    own.trials = 1;
    own.share = clopper_pearson(1, 4);
    other.name = "linear";
    other.risk = 0.02;
    other.trials = 1;
    other.share = own.share;
    levels.levels = {own, other};
    levels.on_none = 2;
    cell.levels = levels;
    TheoryCheck check;
    check.name = "Proposition 2.10";
    check.checked = 4;
    cell.checks = {check};
    return cell;
}

inline StoreSummary report_summary() {
    StoreSummary summary;
    summary.campaign.name = "by hand";
    summary.campaign.text = "name = \"by hand\"\n";
    summary.campaign.version = "0.1.0";
    summary.campaign.created = "2026-01-01T00:00:00Z";
    summary.campaign.seed = 1;
    summary.campaign.trials = 4;
    summary.tolerance = 0.01;
    summary.cells = {cell_summary(0, 4), cell_summary(1, 1)};  // not in the order of the widths
    RateStatement rate;
    rate.cells = {1, 0};
    rate.fit.rate = 0.25;
    rate.fit.rate_interval = {0.125, 0.5};
    rate.predicted = 0.3;
    summary.rates = {rate};
    return summary;
}

/// Risk and inactive neurons of the cell of width 4 at 5 steps.
inline CellTrajectory trajectory_by_hand() {
    CellTrajectory trajectory;
    trajectory.cell_id = "id-0";
    trajectory.trials = 4;
    trajectory.steps = {0, 1, 10, 100, 1000};
    TrajectorySeries risk;
    risk.name = "risk";
    risk.median = {4, 2, 1, 0.5, 0.25};
    for (const double value : risk.median) {
        risk.quantile_05.push_back(value / 4);
        risk.quantile_25.push_back(value / 2);
        risk.quantile_75.push_back(value * 2);
        risk.quantile_95.push_back(std::numeric_limits<double>::infinity());
    }
    risk.mean = risk.quantile_95;
    TrajectorySeries inactive = risk;
    inactive.name = "inactive";
    for (auto* values :
         {&inactive.mean, &inactive.quantile_05, &inactive.quantile_25, &inactive.median, &inactive.quantile_75, &inactive.quantile_95})
        *values = {1, 1, 2, 2, 2};
    trajectory.series = {risk, inactive};
    trajectory.checks = {{"Lyapunov identity", 20, 1e-15, 1e-12}};
    trajectory.converged = 3;
    trajectory.least_squares_gaps = {1e-9, 2e-9, 3e-9};
    return trajectory;
}

}  // namespace limrisk::testing
