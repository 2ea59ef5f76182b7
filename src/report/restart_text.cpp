// See restart_text.hpp.
#include "report/restart_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "analysis/cell_axes.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"
#include "text/number_text.hpp"

namespace limrisk {

namespace {

/// Three digits, not rounded up.
std::string three_digits_at_most(double value) {
    const double unit = std::pow(10, std::floor(std::log10(value)) - 2);
    const double shown = std::floor(value / unit * (1 + 1e-15)) * unit;
    return fmt::format("{:.3g}", std::isfinite(shown) && shown > 0 ? shown : value);
}

}  // namespace

std::string restart_text(const RestartStatement& restarts) {
    const std::string trials = counted(restarts.restarts, "trial");
    std::vector<std::string> parts;
    if (restarts.reach) {
        const RestartReach& reach = *restarts.reach;
        const std::string least = share_text(reach.estimate.low), most = share_text(reach.estimate.high);
        parts.push_back(fmt::format("at least one of {} does not miss the best known risk with probability {}{} % [{}, {}]", trials, least,
                                    reach.estimate.low == reach.estimate.high ? "" : " to " + most, share_text(reach.interval.low),
                                    share_text(reach.interval.high)));
    }
    if (restarts.risk) {
        const RestartRisk& risk = *restarts.risk;
        parts.push_back(fmt::format(
            "the best final risk of {} has the median {:.3g} [{:.3g}, {:.3g}] and the mean {}, with 95 % at least {}", trials, risk.median,
            risk.median_interval.low, risk.median_interval.high,
            risk.mean ? fmt::format("{:.3g}", *risk.mean) : "unknown (there are fewer trials)", three_digits_at_most(risk.least_mean)));
    }
    if (!restarts.reason.empty()) parts.push_back("the rest is not known: " + restarts.reason);
    if (parts.size() == 1 && !restarts.reason.empty()) parts = {"not known: " + restarts.reason};
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string restart_remark(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        if (!cell.restarts) continue;
        text += remark(text.empty() ? "restarts" : "", fmt::format("cell {}{}{}: {}", cell.cell.index, names[k].empty() ? "" : ", ",
                                                                   fmt::join(names[k], ", "), restart_text(*cell.restarts)));
    }
    return text;
}

}  // namespace limrisk
