// The tables of input laws, noise laws and losses. Formulas: docs/numerics.md sections 4 and 8.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/catalog_rows.hpp"
#include "kernels/loss_kinds.hpp"

namespace limrisk {
namespace {

using namespace catalog_rows;

Parameter dimension() {
    return with_column(integer<&Cell::input, &InputLaw::dimension>("dimension", "number of input coordinates d", {1, 256}, nullptr));
}

/// An end of the box, of all coordinates or of each. A normal law without a default is given both or neither.
template <double InputLaw::*end, std::vector<double> InputLaw::*ends>
Parameter end_of_box(const char* name, const char* meaning, const char* fallback) {
    const auto store = [](Cell& cell, const Value& value) {
        cell.input.*end = value.number;
        cell.input.*ends = value.numbers;
        cell.input.bounded = true;
    };
    const auto load = [](const Cell& cell) {
        std::optional<Value> value;
        if (cell.input.bounded) value = Field<&Cell::input, end>::load(cell);
        if (value) value->numbers = cell.input.*ends;
        return value;
    };
    return {name, ParameterType::Reals, meaning, any, fallback, false, {}, store, load};
}

Parameter low_end(const char* meaning, const char* fallback) {
    return end_of_box<&InputLaw::low, &InputLaw::lows>("low", meaning, fallback);
}
Parameter high_end(const char* meaning, const char* fallback) {
    return end_of_box<&InputLaw::high, &InputLaw::highs>("high", meaning, fallback);
}

template <InputLaw::Kind kind>
CatalogEntry round_input(const char* name, const char* meaning) {
    const auto choose = [](Cell& cell) {
        cell.input = InputLaw{};
        cell.input.kind = kind;
        cell.input.bounded = false;
    };
    const auto label = [](const Cell& cell) {
        return fmt::format("{}({}) in dimension {}", kind == InputLaw::Kind::Sphere ? "sphere" : "ball", cell.input.radius,
                           cell.input.dimension);
    };
    return {name,
            meaning,
            {dimension(), real<&Cell::input, &InputLaw::radius>("radius", "distance of the points from 0, at most", {1e-6, 1e6}, "1.0")},
            choose,
            [](const Cell& cell) { return cell.input.kind == kind; },
            label};
}

template <NoiseLaw::Kind kind>
CatalogEntry noise(const char* name, const char* meaning, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) {
        cell.noise = NoiseLaw{};
        cell.noise.kind = kind;
    };
    return {name, meaning, std::move(parameters), choose, [](const Cell& cell) { return cell.noise.kind == kind; }};
}

/// "^3"; nothing in one dimension.
std::string power_label(const Cell& cell) { return cell.input.dimension == 1 ? "" : fmt::format("^{}", cell.input.dimension); }

/// " on [0, 1]^3", " on [0, 1]^2 x [-1, 1]": all ends, since the label tells laws from each other.
std::string box_label(const Cell& cell) {
    const InputLaw& law = cell.input;
    if (!law.has_own_ends()) return fmt::format(" on [{}, {}]{}", law.low, law.high, power_label(cell));
    std::string text;
    for (std::size_t k = 0, next; k < law.lows.size(); k = next) {
        for (next = k + 1; next < law.lows.size() && law.lows[next] == law.lows[k] && law.highs[next] == law.highs[k];) ++next;
        text += fmt::format("{}[{}, {}]{}", k == 0 ? " on " : " x ", law.lows[k], law.highs[k],
                            next - k == 1 ? "" : fmt::format("^{}", next - k));
    }
    return text;
}

/// Of normal noise: a number, or a function of the input.
Parameter noise_deviation() {
    const auto store = [](Cell& cell, const Value& value) {
        cell.noise.factor = value.text;
        cell.noise.deviation = value.text.empty() ? value.number : 1;
    };
    const auto load = [](const Cell& cell) {
        Value value;
        value.text = cell.noise.factor;
        value.number = cell.noise.deviation;
        return std::optional(value);
    };
    return {"deviation",
            ParameterType::Function,
            "standard deviation, or an expression of the input whose absolute value it is",
            positive,
            nullptr,
            true,
            {},
            store,
            load};
}

/// Of the law `density`.
Parameter density() {
    const auto store = [](Cell& cell, const Value& value) {
        cell.input.density = value.text.empty() ? fmt::format("{}", value.number) : value.text;
    };
    return {"density",
            ParameterType::Function,
            "expression in x, finite and at least 0 on [low, high]",
            any,
            nullptr,
            true,
            {},
            store,
            Field<&Cell::input, &InputLaw::density>::load};
}

/// A law that is given by its density, with the ends of its box behind the other parameters.
template <InputLaw::Kind kind>
CatalogEntry table_input(const char* name, const char* meaning, Parameters parameters, std::string (*label)(const Cell&)) {
    parameters.push_back(low_end("lower end of the box, or of each coordinate", "0.0"));
    parameters.push_back(high_end("upper end of the box, or of each coordinate", "1.0"));
    const auto choose = [](Cell& cell) {
        cell.input = InputLaw{};
        cell.input.kind = kind;
    };
    return {name, meaning, std::move(parameters), choose, [](const Cell& cell) { return cell.input.kind == kind; }, label};
}

}  // namespace

const Catalog& input_catalog() {
    using Kind = InputLaw::Kind;
    static const Catalog catalog{
        "input law",
        "input laws",
        "problem.input",
        "law",
        {
            {"uniform",
             "uniform on the box [low, high]^dimension, or on one whose coordinates have their own ends",
             {dimension(), low_end("lower end of the box, or of each coordinate", "0.0"),
              high_end("upper end of the box, or of each coordinate", "1.0")},
             [](Cell& cell) { cell.input = InputLaw{}; },
             [](const Cell& cell) { return cell.input.kind == Kind::Uniform; },
             [](const Cell& cell) { return "uniform" + box_label(cell); }},
            {"normal",
             "independent normal coordinates; with low and high: truncated to the box",
             {dimension(), real<&Cell::input, &InputLaw::mean>("mean", "mean of a coordinate", any, "0.0"),
              real<&Cell::input, &InputLaw::deviation>("deviation", "standard deviation of a coordinate", positive, "1.0"),
              low_end("lower end of the box, or of each coordinate; with high", nullptr),
              high_end("upper end of the box, or of each coordinate; with low", nullptr)},
             [](Cell& cell) {
                 cell.input = InputLaw{};
                 cell.input.kind = Kind::Normal;
                 cell.input.bounded = false;
                 cell.input.low = -std::numeric_limits<double>::infinity();  // an end that was not given
                 cell.input.high = std::numeric_limits<double>::infinity();
             },
             [](const Cell& cell) { return cell.input.kind == Kind::Normal; },
             [](const Cell& cell) {
                 return fmt::format("normal({}, {}){}{}", cell.input.mean, cell.input.deviation, power_label(cell),
                                    cell.input.bounded ? box_label(cell) : "");
             }},
            round_input<Kind::Sphere>("sphere", "uniform on the sphere around 0, in dimension 2 and more"),
            round_input<Kind::Ball>("ball", "uniform in the ball around 0, in dimension 2 and more"),
            table_input<Kind::Beta>(
                "beta",
                "independent beta coordinates on the box: density proportional to x^(a - 1) (1 - x)^(b - 1) on [0, 1], stretched to it",
                {dimension(), real<&Cell::input, &InputLaw::a>("a", "exponent at the lower end, plus 1", {1, 200}, nullptr),
                 real<&Cell::input, &InputLaw::b>("b", "exponent at the upper end, plus 1", {1, 200}, nullptr)},
                [](const Cell& cell) {
                    return fmt::format("beta({}, {}){}{}", cell.input.a, cell.input.b, power_label(cell), box_label(cell));
                }),
            table_input<Kind::Density>("density", "on [low, high] in dimension 1, with a density that is proportional to an expression",
                                       {density()},
                                       [](const Cell& cell) { return fmt::format("density {}{}", cell.input.density, box_label(cell)); }),
        },
        {},
        &CellConfig::input_label};
    return catalog;
}

const Catalog& noise_catalog() {
    using Kind = NoiseLaw::Kind;
    static const Catalog catalog{
        "noise law",
        "noise laws",
        "problem.noise",
        "law",
        {
            noise<Kind::None>("none", "Y = f(X)"),
            noise<Kind::Normal>("normal", "normal with mean 0", {noise_deviation()}),
            noise<Kind::Uniform>("uniform", "uniform on [low, high]",
                                 {real<&Cell::noise, &NoiseLaw::low>("low", "lower end", any, nullptr),
                                  real<&Cell::noise, &NoiseLaw::high>("high", "upper end", any, nullptr)}),
            noise<Kind::TwoPoint>("two_point", "high with the given probability, else low",
                                  {real<&Cell::noise, &NoiseLaw::low>("low", "the one value", any, nullptr),
                                   real<&Cell::noise, &NoiseLaw::high>("high", "the other", any, nullptr),
                                   real<&Cell::noise, &NoiseLaw::probability>("probability", "of `high`", {0, 1, true, true}, "0.5")}),
            noise<Kind::Exponential>("exponential", "exponential, shifted to mean 0: its least value is minus the deviation",
                                     {real<&Cell::noise, &NoiseLaw::deviation>("deviation", "standard deviation", positive, nullptr)}),
        },
        {},
        &CellConfig::noise_label};
    return catalog;
}

const Catalog& loss_catalog() {
    static const Catalog catalog{
        "loss", "losses", "problem.loss", "name", entries_of<&Cell::loss, kernels::loss_table>(), {}, &CellConfig::loss_label};
    return catalog;
}

}  // namespace limrisk
