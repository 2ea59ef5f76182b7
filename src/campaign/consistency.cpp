// Applies the rules of the schema to combinations of values, and to a cell.
#include "campaign/consistency.hpp"

#include <functional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "campaign/schema.hpp"

namespace limrisk {
namespace {

constexpr const char* data_key = "problem.data";

/// Visits every combination of the other keys; an absent key stays as in unset_cell().
void for_combinations(const std::vector<const Axis*>& axes, std::size_t first, const CellConfig& cell,
                      const std::function<bool(const CellConfig&)>& visit, bool& go_on) {
    if (first == axes.size()) {
        go_on = visit(cell);
        return;
    }
    for (const Alternative& alternative : *axes[first]) {
        if (!go_on) return;
        CellConfig next = cell;
        alternative.apply(next);
        for_combinations(axes, first + 1, next, visit, go_on);
    }
}

/// One alternative for every (dimension, has a box, kind) of the input axis: all that the other keys' checks read of it.
Axis distinct_inputs(const Axis& inputs) {
    Axis distinct;
    std::set<std::tuple<std::int64_t, bool, InputLaw::Kind>> seen;
    for (const Alternative& input : inputs) {
        CellConfig cell;
        input.apply(cell);
        if (seen.emplace(cell.input.dimension, cell.input.bounded, cell.input.kind).second) distinct.push_back(input);
    }
    return distinct;
}

}  // namespace

CellConfig unset_cell() {
    CellConfig cell;
    for (const SchemaKey& key : campaign_schema())
        if (key.complete != nullptr && key.parameter.store != nullptr) key.parameter.store(cell, {});
    return cell;
}

void complete(CellConfig& cell) {
    for (const SchemaKey& key : campaign_schema())
        if (key.complete != nullptr) key.complete(cell);
}

void check_consistency(const Axes& axes, Problems& problems) {
    const auto all_inputs = axes.find("problem.input");
    const Axis inputs = all_inputs == axes.end() ? Axis{} : distinct_inputs(all_inputs->second);
    for (const SchemaKey& key : campaign_schema()) {
        if (key.wrong == nullptr) continue;
        const std::string path = key.path();
        const auto blamed = axes.find(path);
        if (blamed == axes.end() || blamed->second.empty()) continue;
        std::vector<const Axis*> others;
        bool readable = true;
        // Data are an input and a target, and say how a step is sampled.
        std::vector<const char*> reads = key.reads;
        if (path != data_key) reads.push_back(data_key);
        for (const char* other : reads) {
            const auto found = axes.find(other);
            if (found == axes.end()) continue;
            readable = readable && !found->second.empty();
            others.push_back(found == all_inputs ? &inputs : &found->second);
        }
        if (!readable) continue;
        for (const Alternative& alternative : blamed->second) {
            if (problems.full()) return;
            bool go_on = true;
            // One problem per value is enough: the first combination that is wrong.
            for_combinations(
                others, 0, unset_cell(),
                [&](const CellConfig& cell) {
                    CellConfig combination = cell;
                    alternative.apply(combination);
                    const std::string wrong = key.wrong(combination);
                    if (!wrong.empty()) problems.add(alternative.place, path, wrong);
                    return wrong.empty();
                },
                go_on);
        }
    }
}

}  // namespace limrisk
