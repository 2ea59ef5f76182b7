// The parameters of a cell as named texts; see cell_axes.hpp.
#include "analysis/cell_axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "text/printable_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t longest_value = 80;  // characters

}  // namespace

std::vector<Axis> cell_axes(const CellConfig& cell) {
    std::vector<Axis> axes;
    const auto add = [&](const auto& wanted) {
        for (const SchemaKey& key : campaign_schema())
            if (key.of_cell() && wanted(key)) axes.push_back({key.column(), key.text_of(cell), &key});
    };
    const auto in_table = [](const SchemaKey& key) { return *key.table != '\0' && !key.technical; };
    const auto is_choice = [](const SchemaKey& key) {
        return key.parameter.type == ParameterType::Entry || key.parameter.type == ParameterType::Text ||
               key.parameter.type == ParameterType::Target;
    };
    add([&](const SchemaKey& key) { return in_table(key) && is_choice(key); });
    add([&](const SchemaKey& key) { return in_table(key) && !is_choice(key); });
    add([](const SchemaKey& key) { return *key.table == '\0' && key.scope == KeyScope::Sweep; });
    add([](const SchemaKey& key) { return key.scope == KeyScope::Cell; });
    add([](const SchemaKey& key) { return key.technical; });
    return axes;
}

CellAxes axes_of(const std::vector<CellConfig>& cells) {
    CellAxes axes;
    for (const CellConfig& cell : cells) axes.push_back(cell_axes(cell));
    return axes;
}

bool varies(const CellAxes& axes, std::size_t axis) {
    return std::any_of(axes.begin(), axes.end(), [&](const auto& cell) { return cell[axis].value != axes.front()[axis].value; });
}

std::string axis_phrase(const Axis& axis) {
    if (axis.value.empty()) return "";
    const Catalog* catalog = axis.key->parameter.catalog;
    const CatalogEntry* entry = catalog == nullptr ? nullptr : catalog->find(axis.value);
    const std::string value = entry != nullptr && entry->phrase != nullptr ? entry->phrase
                              : catalog != nullptr                         ? axis.value  // cut, two schedules could look alike
                                                                           : shortened(printable_text(axis.value), longest_value);
    if (axis.key->without != nullptr && axis.key->is_silent(axis.value)) return axis.key->without;
    if (axis.key->phrase != nullptr) return fmt::format(fmt::runtime(axis.key->phrase), value);
    std::string words(axis.name);
    std::replace(words.begin(), words.end(), '_', ' ');
    return words + " " + value;
}

std::vector<std::vector<std::string>> distinctions(const std::vector<CellConfig>& cells, bool with_width) {
    const CellAxes axes = axes_of(cells);
    std::vector<std::vector<std::string>> names(cells.size());
    for (std::size_t axis = 0; !axes.empty() && axis < axes.front().size(); ++axis) {
        if (!with_width && std::string_view(axes.front()[axis].name) == "width") continue;
        const bool vary = varies(axes, axis);
        for (std::size_t k = 0; vary && k < cells.size(); ++k)
            if (std::string phrase = axis_phrase(axes[k][axis]); !phrase.empty()) names[k].push_back(std::move(phrase));
    }
    return names;
}

std::vector<std::string> cell_phrases(const CellConfig& cell) { return common_phrases({cell}); }

std::vector<std::string> common_phrases(const std::vector<CellConfig>& cells) {
    const CellAxes axes = axes_of(cells);
    std::vector<std::string> common;
    for (std::size_t axis = 0; !axes.empty() && axis < axes.front().size(); ++axis) {
        const Axis& first = axes.front()[axis];
        if (first.key->technical || first.value.empty() || first.key->is_silent(first.value)) continue;
        if (!varies(axes, axis)) common.push_back(axis_phrase(first));
    }
    return common;
}

}  // namespace limrisk
