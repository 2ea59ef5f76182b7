// See strata_text.hpp.
#include "report/strata_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "report/reservations.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

/// Three digits, rounded down or up.
std::string probability_end(double probability, bool up) {
    if (!(probability > 0)) return "0";
    if (probability >= 1) return "1";
    const double unit = std::pow(10.0, std::floor(std::log10(probability)) - 2);
    const double digits = probability / unit;
    const double whole = std::round(digits);
    // What three digits hold already is not moved.
    const double rounded = std::abs(digits - whole) < 1e-9 * digits ? whole : up ? std::ceil(digits) : std::floor(digits);
    return fmt::format("{:.3g}", rounded * unit);
}

std::string seen(const Stratum& stratum) {
    const std::string reached = stratum.reached_least == stratum.reached_most
                                    ? grouped_digits(stratum.reached_least)
                                    : fmt::format("{} to {}", grouped_digits(stratum.reached_least), grouped_digits(stratum.reached_most));
    return fmt::format("J = {} ({} of {}{}, P(J) {:.3g})", stratum.inactive, reached, counted(stratum.trials, "trial"),
                       stratum.pilot > 0 ? fmt::format(" after {} of the pilot", grouped_digits(stratum.pilot)) : "",
                       stratum.probability.high);
}

}  // namespace

std::string probability_range(const Interval& interval) {
    if (interval.low == interval.high) return fmt::format("{:.3g}", interval.low);
    const std::string low = probability_end(interval.low, false), high = probability_end(interval.high, true);
    return low == high ? low : fmt::format("{} to {}", low, high);
}

std::string reaching_text(const StrataStatement& statement) {
    return statement.own_threshold ? fmt::format("a limiting risk of at most {:g}", statement.threshold) : "reaching the optimum";
}

std::string strata_phrase(const StrataStatement& statement) {
    constexpr std::size_t most_said = 6;
    std::string text;
    for (std::size_t k = 0; k < std::min(most_said, statement.strata.size()); ++k) text += (k == 0 ? "" : ", ") + seen(statement.strata[k]);
    if (statement.strata.size() > most_said) text += fmt::format(", and {} more strata", statement.strata.size() - most_said);
    if (statement.excluded_from)
        text += fmt::format("; J >= {}: 0, proved, since no iterate has a risk below {:.4g}", *statement.excluded_from, statement.bound);
    if (statement.missing > 0)
        text += fmt::format("; other J have no trials and count as 0 to 1: P(J) {} at most", probability_end(statement.missing, true));
    return text;
}

std::vector<std::string> strata_lines(const StoreSummary& summary) {
    std::vector<std::string> lines;
    if (!summary.strata.empty())
        lines.push_back(fmt::format(
            "probability that a trial without a condition {}, put together from cells with conditions: the sum over J, the number of "
            "inactive neurons at the start, of P(J) times the share of the trials with J that do",
            summary.strata.front().own_threshold ? "has " + reaching_text(summary.strata.front())
                                                 : "reaches the optimum (does not miss it)"));
    for (const StrataStatement& statement : summary.strata) {
        std::string line = fmt::format("{}{}, 95 % CI [{}, {}]: {}", statement.label.empty() ? "" : statement.label + ": ",
                                       probability_range(statement.estimate), probability_end(statement.reached.low, false),
                                       probability_end(statement.reached.high, true), strata_phrase(statement));
        if (statement.without_condition)
            line += fmt::format("; {} without a condition: 95 % CI [{}, {}]", counted(statement.trials_without_condition, "trial"),
                                probability_end(statement.without_condition->low, false),
                                probability_end(statement.without_condition->high, true));
        lines.push_back(line);
    }
    std::map<std::string, std::vector<std::int64_t>> reasons;
    for (const StrataOmission& none : summary.no_strata)
        reasons[none.reason].insert(reasons[none.reason].end(), none.cells.begin(), none.cells.end());
    for (auto& [reason, cells] : reasons) {
        std::sort(cells.begin(), cells.end());
        lines.push_back(fmt::format("cell{} {} not put together: {}", cells.size() == 1 ? "" : "s",
                                    cell_list(cells) + (cells.size() == 1 ? " is" : " are"), reason));
    }
    return lines;
}

nlohmann::ordered_json strata_json(const StrataStatement& statement) {
    using nlohmann::ordered_json;
    ordered_json strata = ordered_json::array();
    for (const Stratum& stratum : statement.strata)
        strata.push_back({{"cell", stratum.cell},
                          {"inactive_neurons", stratum.inactive},
                          {"probability_low", stratum.probability.low},
                          {"probability_high", stratum.probability.high},
                          {"trials", stratum.trials},
                          {"pilot", stratum.pilot},
                          {"reached_least", stratum.reached_least},
                          {"reached_most", stratum.reached_most}});
    const auto& brute = statement.without_condition;
    return {{"cells", statement.cells()},
            {"label", statement.label},
            {"width", statement.width},
            {"inactive_probability", statement.inactive_probability},
            {"threshold", statement.threshold},
            {"estimate_low", statement.estimate.low},
            {"estimate_high", statement.estimate.high},
            {"low", statement.reached.low},
            {"high", statement.reached.high},
            {"excluded_from", statement.excluded_from ? ordered_json(*statement.excluded_from) : ordered_json()},
            {"excluded_risk", statement.excluded_from ? ordered_json(statement.bound) : ordered_json()},
            {"excluded_probability", statement.excluded},
            {"missing_probability", statement.missing},
            {"strata", strata},
            {"without_condition",
             brute ? ordered_json{{"trials", statement.trials_without_condition}, {"low", brute->low}, {"high", brute->high}}
                   : ordered_json()}};
}

}  // namespace limrisk
