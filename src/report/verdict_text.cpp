// Rounding by the largest remainders.
#include "report/verdict_text.hpp"

#include <algorithm>
#include <numeric>

namespace limrisk {

std::array<std::string, 4> verdict_percents(const CellSummary& cell) {
    std::array<std::int64_t, 4> trials{}, percent{}, rest{};
    for (std::size_t v = 0; v < trials.size(); ++v) trials[v] = cell.verdicts[static_cast<std::size_t>(shown_verdicts[v])];
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
    std::array<std::string, 4> texts;
    for (std::size_t v = 0; v < texts.size(); ++v) {
        const bool few = trials[v] > 0 && 100 * trials[v] < all, nearly_all = trials[v] < all && 100 * trials[v] > 99 * all;
        texts[v] = few ? "<1" : nearly_all ? ">99" : std::to_string(percent[v]);
    }
    return texts;
}

}  // namespace limrisk
