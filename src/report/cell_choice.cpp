// Which cells of a large campaign a report draws; see cell_choice.hpp.
#include "report/cell_choice.hpp"

namespace limrisk {
namespace {

constexpr std::size_t few_cells = 12;    // of all groups together: all are shown
constexpr std::size_t shown_groups = 6;  // of more cells: groups that show something

}  // namespace

std::vector<CellChoice> choose_cells(const std::vector<CellGroup>& groups) {
    std::size_t cells = 0, left = drawn_cells, showing = 0;
    for (const CellGroup& group : groups) cells += group.cells.size();
    std::vector<CellChoice> choices;
    for (const CellGroup& group : groups) {
        CellChoice& choice = choices.emplace_back();
        const std::size_t n = group.cells.size();
        const bool may_show = cells <= few_cells || showing < shown_groups;
        for (std::size_t k = 0; k < n; ++k) {
            const bool chosen = cells <= few_cells || k == 0 || k == n / 2 || k + 1 == n;
            if (left == 0) {
                ++choice.left_out;
                continue;
            }
            --left;
            (may_show && chosen ? choice.shown : choice.folded).push_back(group.cells[k]);
        }
        showing += choice.shown.empty() ? 0 : 1;
    }
    return choices;
}

}  // namespace limrisk
