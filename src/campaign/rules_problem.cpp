// The rules of the keys under [problem], a function each.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "campaign/catalog.hpp"
#include "campaign/document.hpp"
#include "campaign/rule_numbers.hpp"
#include "campaign/rules.hpp"
#include "campaign/teacher.hpp"
#include "expression/expression.hpp"
#include "kernels/cell.hpp"

namespace limrisk::rules {
namespace {

/// What is wrong with an expression in x1 .. xd.
std::string wrong_function(const std::string& text, std::int64_t dimension) {
    try {
        (void)Expression::compile(text, dimension);
        return "";
    } catch (const ExpressionFailure& failure) {
        return fmt::format("\"{}\", column {}: {}", abbreviated(text), failure.error.column, failure.error.message);
    }
}

/// Points are rounded to the cell's precision: what is finite must stay so.
std::string unbounded_points(const DataSet& points, const CellConfig& cell) {
    double largest = std::max(std::abs(points.low), std::abs(points.high));
    double largest_output = 0;
    for (const double y : points.outputs) largest_output = std::max(largest_output, std::abs(y));
    largest = std::max(largest, largest_output);
    if (!std::isfinite(largest_output * largest_output) || !std::isfinite(points.high - points.low))
        return "numbers whose squares or differences are not finite; scale the data";
    if (finite(largest, cell)) return "";
    return fmt::format("a number of the size of {} is not finite in {}; scale the data, or write precision = \"float64\"", largest,
                       precision_name(cell));
}

}  // namespace

std::string data(const CellConfig& cell) {
    if (!cell.has_data()) return "";
    if (cell.data->to_draw) {
        // An input has at least 17 characters in the store's copy, but for a few.
        const std::int64_t d = cell.input.dimension,
                           most = std::min(max_calls / ((d + 3) / 4), static_cast<std::int64_t>(most_data_text) / (17 * d));
        const std::int64_t most_here = cell.data->per_trial ? std::min(most, most_own_numbers / (d + 1)) : most;
        if (cell.data->count <= most_here) return "";
        return fmt::format("{} points in dimension {}{}: at most {} can be drawn there", cell.data->count, d,
                           cell.data->per_trial ? " for each trial" : "", most_here);
    }
    if (cell.resamples()) {
        if (!cell.data->draws(cell.width))
            return fmt::format("resample = {} is no whole number from 1 to {} for width {} and dimension {}", cell.data->resample,
                               most_resampled, cell.width, cell.input.dimension);
        if (cell.data->count > most_own_numbers / (cell.input.dimension + 1))
            return fmt::format("{} points in dimension {} with resample: at most {} can be chosen from there", cell.data->count,
                               cell.input.dimension, most_own_numbers / (cell.input.dimension + 1));
    }
    std::string wrong = unbounded_points(*cell.data, cell);
    if (!wrong.empty() || !cell.has_validation()) return wrong;
    wrong = unbounded_points(*cell.data->validation, cell);
    return wrong.empty() ? "" : "validation: " + wrong;
}

std::string input(const CellConfig& cell) {
    const InputLaw& law = cell.input;
    if (law.is_round() && law.dimension == 1)
        return law.kind == InputLaw::Kind::Ball
                   ? fmt::format(
                         "a ball in dimension 1; it is an interval: write {{ law = \"uniform\", dimension = 1, low = {}, high = {} }}",
                         -law.radius, law.radius)
                   : fmt::format("a sphere in dimension 1; it is two points: write data = {{ points = [[{}, y], [{}, y]] }}", -law.radius,
                                 law.radius);
    if (law.is_round()) return "";
    const auto wrong_size = [&](const char* name, const std::vector<double>& ends) {
        const bool wrong = !ends.empty() && static_cast<std::int64_t>(ends.size()) != law.dimension;
        return wrong ? fmt::format("{} has {} numbers in dimension {}; it has one per coordinate", name, ends.size(), law.dimension) : "";
    };
    for (const std::string& wrong : {wrong_size("low", law.lows), wrong_size("high", law.highs)})
        if (!wrong.empty()) return wrong;
    if (!law.lows.empty() || !law.highs.empty()) {
        CellConfig completed = cell;
        complete_box(completed);
        for (std::int64_t k = 0; k < law.dimension; ++k) {
            CellConfig alone = cell;
            alone.input = completed.input.coordinate(k);
            const std::string wrong = input(alone);
            if (!wrong.empty()) return fmt::format("coordinate {}: {}", k + 1, wrong);
        }
        return "";
    }
    if (law.kind == InputLaw::Kind::Normal) {
        if (!finite(law.mean, cell)) return fmt::format("mean {} is not finite in {}", law.mean, precision_name(cell));
        if (!normal(law.deviation, cell)) return not_normal("deviation", law.deviation, cell);
        if (!law.bounded) return "";
        if (!std::isfinite(law.low)) return "high without low; give both, to truncate to a box, or neither";
        if (!std::isfinite(law.high)) return "low without high; give both, to truncate to a box, or neither";
    }
    std::string box = interval("the box", law.low, law.high, cell);
    if (!box.empty() || law.kind == InputLaw::Kind::Uniform || law.kind == InputLaw::Kind::Beta) return box;
    if (law.kind == InputLaw::Kind::Density) {
        const std::string wrong = wrong_function(law.density, 1);
        return wrong.empty() ? "" : "density = " + wrong;
    }
    const double to_low = (law.low - law.mean) / law.deviation, to_high = (law.high - law.mean) / law.deviation;
    // The tail that is nearer to 0 is the one without cancellation.
    const bool above = to_low > 0;
    const double mass = above ? 0.5 * (std::erfc(to_low * M_SQRT1_2) - std::erfc(to_high * M_SQRT1_2))
                              : 0.5 * (std::erfc(-to_high * M_SQRT1_2) - std::erfc(-to_low * M_SQRT1_2));
    if (mass >= min_box_mass) return "";
    return fmt::format("the box [{}, {}] has probability {:.2g} under the normal law with mean {} and deviation {}; at least {} is allowed",
                       law.low, law.high, mass, law.mean, law.deviation, min_box_mass);
}

std::string target(const CellConfig& cell) {
    if (cell.has_data() && !cell.data->to_draw) return "";
    if (cell.teacher != nullptr) {
        CellConfig teacher = cell_of(*cell.teacher);
        teacher.input.dimension = cell.input.dimension;
        if (teacher.initialization.draws_together())
            return fmt::format(
                "teacher.initialization: \"{}\" draws parameters together; a teacher needs one with a law for each group, such as "
                "\"standard_normal\"",
                initialization_catalog().chosen(teacher).name);
        if (const std::string wrong = initialization(teacher); !wrong.empty()) return "teacher.initialization: " + wrong;
    }
    const std::string text = cell.teacher != nullptr ? teacher_text(*cell.teacher, cell.input.dimension) : cell.target;
    if (cell.teacher != nullptr && !cell.target.empty() && cell.target != text) return "the expression is not that of its teacher";
    try {
        const Expression expression = Expression::compile(text, cell.input.dimension);
        for (const kernels::Instruction& instruction : expression.code()) {
            if (!finite(instruction.value, cell)) {
                return fmt::format("the number {} is not finite in {}; magnitudes up to 3.4e38 are allowed", instruction.value,
                                   precision_name(cell));
            }
        }
    } catch (const ExpressionFailure& failure) {
        if (cell.teacher != nullptr)
            return fmt::format("{} in dimension {} is no expression that limrisk can run: {}; take fewer neurons", cell.teacher->label,
                               cell.input.dimension, text.empty() ? "too many numbers" : failure.error.message);
        return fmt::format("\"{}\", column {}: {}", abbreviated(cell.target), failure.error.column, failure.error.message);
    }
    return "";
}

std::string noise(const CellConfig& cell) {
    using Kind = NoiseLaw::Kind;
    const NoiseLaw& law = cell.noise;
    if (law.kind == Kind::None) return "";
    const char* const name = noise_catalog().chosen(cell).name;
    if (cell.has_data() && !cell.data->to_draw)
        return fmt::format("\"{}\" with data; the outputs of data points are what they are: put the noise into them, or leave it out",
                           name);
    if (cell.has_training_grid())
        return fmt::format("\"{}\" with the same samples in every step; it needs sampling = \"fresh\", or data that are drawn", name);
    if (!law.factor.empty()) {
        if (cell.has_own_points())
            return "a deviation that is an expression, with points that every trial draws for itself; write a number, or per = \"once\"";
        const std::string wrong = wrong_function(law.factor, cell.input.dimension);
        if (!wrong.empty()) return "deviation = " + wrong;
        const Expression factor = Expression::compile(law.factor, cell.input.dimension);
        for (const kernels::Instruction& instruction : factor.code())
            if (!finite(instruction.value, cell))
                return fmt::format("deviation: the number {} is not finite in {}", instruction.value, precision_name(cell));
        return "";
    }
    if (law.kind == Kind::Uniform || law.kind == Kind::TwoPoint) {
        std::string wrong =
            interval(law.kind == Kind::Uniform ? "the interval of the noise" : "the interval from the lower to the higher value", law.low,
                     law.high, cell);
        if (!wrong.empty()) return wrong;
        // Variates are made of 23 or 32 bits: a rarer value would have another probability than its mean and variance say.
        const double least = cell.precision == kernels::Precision::Float32 ? 0x1p-18 : 0x1p-27;
        if (law.kind == Kind::TwoPoint && (law.probability < least || law.probability > 1 - least))
            return fmt::format("probability {} is too near to {} for {}; allowed is {} to 1 - {}", law.probability,
                               law.probability < 0.5 ? 0 : 1, precision_name(cell), least, least);
    } else if (!normal(law.deviation, cell)) {
        return not_normal("deviation", law.deviation, cell);
    }
    if (!std::isfinite(law.variance())) return "its variance is not finite; scale the problem";
    if (law.mean() == 0 || !target(cell).empty()) return "";
    CellConfig drawn = cell;
    complete_target(drawn);
    try {
        (void)Expression::compile(drawn.regression(), cell.input.dimension);
    } catch (const ExpressionFailure& failure) {
        return fmt::format("with its mean {} the target becomes too large: {}; shorten the target", law.mean(), failure.error.message);
    }
    return "";
}

std::string loss(const CellConfig& cell) {
    if (cell.has_squared_loss()) return "";
    const char* const name = loss_catalog().chosen(cell).name;
    const double parameter = cell.loss.parameter;
    if (cell.loss.kind == kernels::LossKind::Power && parameter == 1) return "power with exponent 1 is absolute; write loss = \"absolute\"";
    if (cell.loss.kind == kernels::LossKind::Power && parameter == 2) return "power with exponent 2 is squared; write loss = \"squared\"";
    if (cell.loss.kind == kernels::LossKind::Huber && !normal(parameter, cell)) return not_normal("delta", parameter, cell);
    if (cell.has_own_points())
        return fmt::format("\"{}\" with data points of every trial; they are trained on with loss = \"squared\"", name);
    if (cell.noise.kind == NoiseLaw::Kind::None || cell.has_data()) return "";
    return fmt::format(
        "\"{}\" with noise; only the mean square is, but for a constant, the risk against E[Y | X]: write loss = \"squared\", or draw data "
        "points, which hold Y",
        name);
}

}  // namespace limrisk::rules
