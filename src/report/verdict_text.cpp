// Rounding by the largest remainders.
#include "report/verdict_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "analysis/cell_axes.hpp"
#include "analysis/stopping_statement.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk {

std::vector<Verdict> shown_verdicts(const StoreSummary& summary) {
    std::vector<Verdict> verdicts{Verdict::Converged, Verdict::Oscillating, Verdict::Budget, Verdict::Diverged};
    const auto stops = [](const CellSummary& cell) { return cell.cell.stop.stops(); };
    if (std::any_of(summary.cells.begin(), summary.cells.end(), stops)) verdicts.push_back(Verdict::Stopped);
    return verdicts;
}

std::string verdict_meaning(const StoreSummary& summary) {
    std::string text =
        "con: converged, parameters and risk are constant up to the tolerance; osc: oscillating, not constant or the gradient "
        "is not small, and the risk no longer decreases; bud: budget, the risk still decreases at the last step, or the tail has one check "
        "only; div: diverged";
    const auto any = [&](const auto& rule) {
        return std::any_of(summary.cells.begin(), summary.cells.end(), [&](const CellSummary& cell) { return rule(cell.cell.stop); });
    };
    const bool below = any([](const EarlyEnd& stop) { return stop.risk_below > 0 || stop.gradient_below > 0; });
    const bool inactive = any([](const EarlyEnd& stop) { return stop.all_inactive; });
    const bool kinks = any([](const EarlyEnd& stop) { return stop.kinks_crossed; });
    const bool proved = any([](const EarlyEnd& stop) { return stop.proved; });
    std::vector<std::string> ways;
    if (below) ways.emplace_back("at a risk or a gradient below what `stop` says");
    if (inactive) ways.emplace_back("with all neurons inactive");
    if (kinks) ways.emplace_back("with a kink that has crossed a training point");
    if (proved) ways.emplace_back("when the limit of its risk on the training points was proved");
    if (!ways.empty()) text += fmt::format("; sto: stopped, the trial ended early, {}", fmt::join(ways, ", or "));
    return text;
}

std::vector<std::string> reasons_without_certificates(const StoreSummary& summary) {
    std::vector<std::string> reasons;
    for (const CellSummary& cell : summary.cells)
        if (!cell.exclusion.least && std::ranges::find(reasons, cell.exclusion.reason) == reasons.end())
            reasons.push_back(cell.exclusion.reason);
    return reasons;
}

std::string risk_measure(const StoreSummary& summary) {
    const auto has_data = [](const CellSummary& cell) { return cell.cell.has_data(); };
    if (std::none_of(summary.cells.begin(), summary.cells.end(), has_data)) return "true risk";
    const bool all = std::all_of(summary.cells.begin(), summary.cells.end(), has_data);
    const auto has_own = [](const CellSummary& cell) { return cell.cell.has_own_points(); };
    if (std::all_of(summary.cells.begin(), summary.cells.end(), has_own)) return "risk on the trial's own data points";
    const std::string on_data = summary.has_validation() ? "training risk (on the data points that are not held out)" : "risk on the data";
    return all ? on_data : "true risk, with data points " + on_data;
}

std::string verdict_remark(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        if (cell.done == 0) continue;
        std::vector<std::string> shares;
        for (const Verdict verdict : shown_verdicts(summary)) {
            const Interval interval = verdict_interval(cell, verdict);
            shares.push_back(fmt::format("{} {} % {}", verdict_name(verdict),
                                         share_text(cell.verdicts[static_cast<std::size_t>(verdict)], cell.done), ends_text(interval)));
        }
        text += remark(text.empty() ? "verdicts" : "", fmt::format("cell {}{}{}: {}", cell.cell.index, names[k].empty() ? "" : ", ",
                                                                   fmt::join(names[k], ", "), fmt::join(shares, ", ")));
    }
    return text + (text.empty() ? "" : remark("", "95 % intervals, each of its verdict alone"));
}

std::vector<std::string> verdict_percents(const CellSummary& cell, const std::vector<Verdict>& verdicts) {
    std::vector<std::int64_t> trials(verdicts.size()), percent(verdicts.size()), rest(verdicts.size());
    for (std::size_t v = 0; v < trials.size(); ++v) trials[v] = cell.verdicts[static_cast<std::size_t>(verdicts[v])];
    const std::int64_t all = std::max<std::int64_t>(1, std::accumulate(trials.begin(), trials.end(), std::int64_t{0}));
    for (std::size_t v = 0; v < trials.size(); ++v) {
        percent[v] = 100 * trials[v] / all;
        rest[v] = 100 * trials[v] % all;
    }
    const std::int64_t missing = std::accumulate(rest.begin(), rest.end(), std::int64_t{0}) / all;
    for (std::int64_t k = 0; k < missing; ++k) {
        const auto largest = std::max_element(rest.begin(), rest.end());
        ++percent[static_cast<std::size_t>(largest - rest.begin())];
        *largest = -1;
    }
    std::vector<std::string> texts(trials.size());
    for (std::size_t v = 0; v < texts.size(); ++v) {
        const bool few = trials[v] > 0 && 100 * trials[v] < all, nearly_all = trials[v] < all && 100 * trials[v] > 99 * all;
        texts[v] = few ? "<1" : nearly_all ? ">99" : std::to_string(percent[v]);
    }
    return texts;
}

}  // namespace limrisk
