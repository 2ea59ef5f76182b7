// The parameters of a cell as named texts; see cell_axes.hpp.
#include "analysis/cell_axes.hpp"

#include <algorithm>
#include <string_view>

#include "text/printable_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t longest_value = 80;  // characters

bool is_technical(const SchemaKey& key) {
    const std::string_view table = key.table;
    return table == "tracking" || table == "evaluation";
}

}  // namespace

std::vector<Axis> cell_axes(const CellConfig& cell) {
    std::vector<Axis> axes;
    const auto add = [&](const auto& wanted) {
        for (const SchemaKey& key : campaign_schema())
            if (key.sweep && wanted(key)) axes.push_back({key.column != nullptr ? key.column : key.name, key.text_of(cell), &key});
    };
    const auto is_choice = [](const SchemaKey& key) { return key.catalog != nullptr || key.parameter->type == ParameterType::Text; };
    add([&](const SchemaKey& key) { return *key.table != '\0' && !is_technical(key) && is_choice(key); });
    add([&](const SchemaKey& key) { return *key.table != '\0' && !is_technical(key) && !is_choice(key); });
    add([](const SchemaKey& key) { return *key.table == '\0'; });
    axes.push_back({"seed", std::to_string(cell.seed)});
    add([](const SchemaKey& key) { return is_technical(key); });
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

bool is_technical(const Axis& axis) { return axis.key != nullptr && is_technical(*axis.key); }

bool holds_integers(const Axis& axis) {
    return axis.key == nullptr || (axis.key->parameter != nullptr && axis.key->parameter->type == ParameterType::Integer);
}

std::string axis_phrase(const Axis& axis) {
    const std::string_view name = axis.name;
    if (axis.value.empty()) return "";
    std::string value = shortened(printable_text(axis.value), longest_value);
    if (name == "initialization") return value + " initialization";
    if (name == "steps") return value + " steps";
    if (name == "sampling") return value == "fresh" ? "fresh samples" : value;
    if (name == "activation" || name == "optimizer" || name == "precision") return value;
    std::string words(name);
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
        if (!is_technical(first) && !first.value.empty() && !varies(axes, axis)) common.push_back(axis_phrase(first));
    }
    return common;
}

}  // namespace limrisk
