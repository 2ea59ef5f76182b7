// Rates, and what has none, in words; see rate_text.hpp.
#include "report/rate_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/cell_axes.hpp"
#include "report/reservations.hpp"

namespace limrisk {
namespace {

std::string law_text(const RateStatement& rate, const StoreSummary& summary) {
    const RateFit& fit = rate.fit;
    const bool saturates = kernels::can_saturate(summary.cells.at(static_cast<std::size_t>(rate.cells.front())).cell.activation.kind);
    std::string text =
        fmt::format("the share of trials without {} neuron ", saturates ? "a frozen (inactive or saturated)" : "an inactive");
    if (fit.rate == 0)
        text += fmt::format("does not fall over the width h, or more slowly than exp(-{:.3g} h) (95 % CI)", fit.rate_interval.high);
    else if (std::isinf(fit.rate))
        text += fmt::format("falls faster over the width h than can be measured: at least like exp(-{:.3g} h) (95 % CI)",
                            fit.rate_interval.low);
    else
        text += fmt::format("falls like exp(-{:.4g} h) over the width h, 95 % CI [{:.4g}, {:.4g}]", fit.rate, fit.rate_interval.low,
                            fit.rate_interval.high);
    if (rate.predicted) text += fmt::format("; theory {:.4g}", *rate.predicted);
    return text;
}

}  // namespace

std::vector<std::string> rate_lines(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), false);

    struct Said {
        std::string text;
        std::vector<std::string> common;  ///< what all sweeps have of which it is said
        std::vector<std::int64_t> cells;
    };
    std::vector<Said> all;
    const auto say = [&](const std::string& text, const std::vector<std::int64_t>& cells) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const Said& said) { return said.text == text; });
        const std::vector<std::string>& own = names.at(static_cast<std::size_t>(cells.front()));
        if (found == all.end()) {
            all.push_back({text, own, cells});
            return;
        }
        std::erase_if(found->common, [&](const std::string& name) { return std::find(own.begin(), own.end(), name) == own.end(); });
        found->cells.insert(found->cells.end(), cells.begin(), cells.end());
    };
    for (const RateStatement& rate : summary.rates) say(law_text(rate, summary), rate.cells);
    for (const RateOmission& none : summary.no_rates) say("no rate: " + none.reason, none.cells);
    std::vector<std::string> lines;
    for (Said& said : all) {
        std::sort(said.cells.begin(), said.cells.end());
        // What other lines are said of, too, tells them apart no more.
        std::vector<std::string> own = said.common;
        std::erase_if(own, [&](const std::string& name) {
            return std::any_of(all.begin(), all.end(), [&](const Said& other) {
                return &other != &said && std::find(other.common.begin(), other.common.end(), name) != other.common.end();
            });
        });
        const std::string whom =
            !own.empty() ? fmt::format("{}: ", fmt::join(own, ", ")) : fmt::format("cells {}: ", cell_list(said.cells));
        lines.push_back((all.size() == 1 ? "" : whom) + said.text);
    }
    return lines;
}

}  // namespace limrisk
