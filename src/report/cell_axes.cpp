// The parameters of a cell as named texts; see cell_axes.hpp.
#include "report/cell_axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "report/printable_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t longest_value = 80;  // characters

}  // namespace

std::vector<Axis> cell_axes(const CellConfig& cell) {
    return {
        {"input", cell.input_label},
        {"target", cell.target},
        {"activation", cell.activation_label},
        {"initialization", cell.initialization_label},
        {"optimizer", cell.optimizer_label},
        {"width", std::to_string(cell.width)},
        {"batch", std::to_string(cell.batch)},
        {"sampling", cell.sampling_label},
        {"steps", std::to_string(cell.steps)},
        {"precision", cell.precision == kernels::Precision::Float32 ? "float32" : "float64"},
        {"seed", std::to_string(cell.seed)},
        {"checks", std::to_string(cell.checks)},
        {"tail", std::to_string(cell.tail)},
        {"tolerance", fmt::format("{}", cell.tolerance)},
        {"check_nodes", std::to_string(cell.evaluation.check_nodes)},
    };
}

bool is_technical(const Axis& axis) {
    const std::string_view name = axis.name;
    return name == "checks" || name == "tail" || name == "tolerance" || name == "check_nodes";
}

std::string axis_phrase(const Axis& axis) {
    const std::string_view name = axis.name;
    std::string value = shortened(printable_text(axis.value), longest_value);
    if (name == "initialization") return value + " initialization";
    if (name == "steps") return value + " steps";
    if (name == "sampling") return value == "fresh" ? "fresh samples" : value;
    if (name == "activation" || name == "optimizer" || name == "precision") return value;
    if (name == "check_nodes") return "check nodes " + value;
    return axis.name + (" " + value);
}

std::vector<std::vector<std::string>> distinctions(const std::vector<CellConfig>& cells, bool with_width) {
    std::vector<std::vector<Axis>> axes;
    for (const CellConfig& cell : cells) axes.push_back(cell_axes(cell));
    std::vector<std::vector<std::string>> names(cells.size());
    for (std::size_t axis = 0; !axes.empty() && axis < axes.front().size(); ++axis) {
        if (!with_width && std::string_view(axes.front()[axis].name) == "width") continue;
        const bool vary =
            std::any_of(axes.begin(), axes.end(), [&](const auto& cell) { return cell[axis].value != axes.front()[axis].value; });
        for (std::size_t k = 0; vary && k < cells.size(); ++k) names[k].push_back(axis_phrase(axes[k][axis]));
    }
    return names;
}

std::string csv_text(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char character : text) quoted += character == '"' ? std::string("\"\"") : std::string(1, character);
    return quoted + "\"";
}

}  // namespace limrisk
