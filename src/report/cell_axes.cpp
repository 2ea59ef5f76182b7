// The parameters of a cell as named texts; see cell_axes.hpp.
#include "report/cell_axes.hpp"

#include <fmt/format.h>

namespace limrisk {

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

std::string csv_text(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char character : text) quoted += character == '"' ? std::string("\"\"") : std::string(1, character);
    return quoted + "\"";
}

}  // namespace limrisk
