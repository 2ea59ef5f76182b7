// One row per cell; see summary_columns.hpp.
#include "report/summary_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "limrisk/trial_record.hpp"
#include "report/sentence.hpp"
#include "report/stopping_statement.hpp"

namespace limrisk {
namespace {

std::string risk(double value) { return fmt::format("{:.2e}", value); }

std::string mean(double value) { return fmt::format("{:.{}f}", value, value < 100 ? 2 : 1); }

/// Whole percents; "<1" for a few, so that 0 means none.
std::string percent(std::int64_t count, std::int64_t of) {
    const double share = 100.0 * static_cast<double>(count) / static_cast<double>(of);
    if (count > 0 && share < 1) return "<1";
    if (count < of && share > 99) return ">99";
    return fmt::format("{:.0f}", share);
}

std::string interval(const Interval& interval) { return fmt::format("[{:.1f}, {:.1f}]", 100 * interval.low, 100 * interval.high); }

/// Never rounded up: it is a lower bound.
std::string bound(double probability) {
    if (probability >= 1) return "100";
    return fmt::format("{:.2f}", std::floor(1e4 * probability) / 100);
}

/// A multiple of the optimum: three digits.
std::string ratio(double value) {
    if (!(value < 1e4)) return std::isfinite(value) ? fmt::format("{:.0e}", value) : "inf";
    return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

bool any_measured(const StoreSummary& summary) {
    return std::any_of(summary.cells.begin(), summary.cells.end(), [](const CellSummary& cell) { return cell.measured.has_value(); });
}

bool binned(const CellSummary& cell) {
    const Quantiles& risks = cell.final_risk;
    return !(risks.median.low == risks.median.high && risks.high.low == risks.high.high);
}

}  // namespace

std::vector<TextColumn> summary_columns(const StoreSummary& summary, bool with_trials) {
    std::vector<TextColumn> columns;
    const auto add = [&](const char* group, const char* head, int expendable, const std::function<std::string(const CellSummary&)>& text) {
        TextColumn column{group, head, expendable, false, {}};
        for (const CellSummary& cell : summary.cells) column.cells.push_back(text(cell));
        columns.push_back(std::move(column));
    };
    const auto add_done = [&](const char* group, const char* head, int expendable,
                              const std::function<std::string(const CellSummary&)>& text) {
        add(group, head, expendable, [&](const CellSummary& cell) { return cell.done == 0 ? "-" : text(cell); });
    };
    const bool measured = any_measured(summary);
    if (with_trials)
        add("", "trials", 0, [&](const auto& cell) { return fmt::format("{}/{}", cell.done, trials_allowed(cell, summary.campaign)); });
    add_done("certified, %", "share", 0, [](const auto& cell) { return share_text(cell.certified, cell.done); });
    add_done("certified, %", "[95 % CI]", 0, [](const auto& cell) { return interval(cell.certified_share); });
    add("theory", "bound", 0, [](const auto& cell) { return bound(cell.prediction.bound); });
    if (measured) {
        add_done("missed, %", "share", 0,
                 [](const auto& cell) { return cell.measured ? share_text(cell.measured->above_most, cell.done) : "-"; });
        add_done("missed, %", "[95 % CI]", 0, [](const auto& cell) { return cell.measured ? interval(cell.measured->share) : "-"; });
    }
    add_done("inactive", "start", 0, [](const auto& cell) { return mean(cell.mean_inactive_initial); });
    add_done("inactive", "end", 0, [](const auto& cell) { return mean(cell.mean_inactive_final); });
    constexpr std::array verdicts{Verdict::Converged, Verdict::Oscillating, Verdict::Budget, Verdict::Diverged};
    constexpr std::array heads{"con", "osc", "bud", "div"};
    for (std::size_t v = 0; v < verdicts.size(); ++v)
        add_done("verdict, %", heads[v], verdicts[v] == Verdict::Budget ? 1 : 0,
                 [&](const auto& cell) { return percent(cell.verdicts[static_cast<std::size_t>(verdicts[v])], cell.done); });
    add_done("final risk", "median", 0, [](const auto& cell) { return risk(cell.final_risk.median.high); });
    add_done("final risk", "95 %", 4, [](const auto& cell) { return risk(cell.final_risk.high.high); });
    add_done("best", "risk", measured ? 3 : 0, [](const auto& cell) { return risk(cell.best_risk); });
    if (measured) add_done("best", "/opt.", 0, [](const auto& cell) { return cell.measured ? ratio(cell.measured->best_ratio) : "-"; });
    return columns;
}

std::string summary_legend(const StoreSummary& summary) {
    const bool several = std::any_of(summary.cells.begin(), summary.cells.end(), [](const auto& cell) { return cell.least_inactive > 1; });
    std::string text = "certified  trials with a neuron proved inactive on the whole box at initialization: it never moves\n";
    if (several) text += "           (with so many that the optimum needs more, where fewer neurons than the width suffice for it)\n";
    text += "theory     probability of that by the law of the initialization, a lower bound for non-convergence\n";
    if (any_measured(summary))
        text += fmt::format("missed     trials whose limiting risk is above the best known risk of the width by more than {:g} %\n",
                            100 * summary.tolerance);
    text +=
        "inactive   mean number of inactive neurons at the start and at the end of training\n"
        "verdict    trials whose tail converged, oscillates, still moves at the end of its budget, diverged\n"
        "risk       final: true risk of the last network; best: smallest of any trial at any check\n";
    if (any_measured(summary)) text += "           /opt.: as a multiple of the best known risk of the width\n";
    if (std::any_of(summary.cells.begin(), summary.cells.end(), binned))
        text += "           median, 95 %: upper ends of bins less than 0.1 % wide; the store keeps summaries only\n";
    return text;
}

}  // namespace limrisk
