// A network on a line is a piecewise polynomial of few pieces. Enough disjoint parts of a line on which the target is no polynomial exclude
// it, and where the parts just suffice for its kinks, the slopes between them may.
#include "optimum/positive_risk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <vector>

#include "evaluation/interval_arithmetic.hpp"
#include "evaluation/rule.hpp"
#include "expression/expression.hpp"

namespace limrisk::optimum {
namespace {

/// What a neuron is on a line: a polynomial of this degree with so many kinks.
struct Shape {
    int degree, kinks;
    bool monotone;
    bool one_sided;  ///< constant on one side of its only kink
};

std::optional<Shape> shape_of(const kernels::Activation& activation) {
    if (!kernels::is_piecewise_polynomial(activation.kind)) return std::nullopt;
    const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
    if (traits.kink_count == 0) return std::nullopt;
    return Shape{kernels::largest_degree(activation), traits.kink_count, traits.monotone,
                 traits.kink_count == 1 && kernels::has_frozen_neurons(activation.kind)};
}

/// A segment of the box, t in [0, 1] from one end to the other.
struct SampledLine {
    std::vector<double> from, to;  ///< [dimension]
    std::string name;
};

/// Enclosures of the target around points of a line: every value in a neighbourhood of the point, on this line and on those next to it.
struct Samples {
    std::vector<Interval> t, target;
};

/// Half the length of a neighbourhood: far below the spacing of the points, far above the rounding of their positions.
constexpr double radius = 0x1p-48;

/// `places`: ascending from 0 to 1, further apart than 2^-38. `density`: where this cannot be proved to be positive, as it must be for the
/// target to count there, a place is left out; null: positive on the whole line.
Samples sample(const kernels::Program& program, const SampledLine& line, const std::vector<double>& places,
               const kernels::Program* density) {
    const std::size_t dimension = line.from.size();
    std::vector<Interval> box(dimension);
    Samples samples;
    for (const double t : places) {
        samples.t.push_back({std::max(0.0, t - radius), std::min(1.0, t + radius)});
        for (std::size_t k = 0; k < dimension; ++k) {
            const double beside = dimension == 1 ? 0 : 0x1p-50 * std::max(std::fabs(line.from[k]), std::fabs(line.to[k]));
            const Interval from = Interval::point(line.from[k]), to = Interval::point(line.to[k]);
            box[k] = from + samples.t.back() * (to - from) + Interval{-beside, beside};
        }
        if (density != nullptr && !(enclose_target(*density, box.data()).value.low > 0)) {
            samples.t.pop_back();
            continue;
        }
        samples.target.push_back(enclose_target(program, box.data()).value);
    }
    return samples;
}

std::vector<double> equal_parts(std::int64_t n) {
    std::vector<double> places;
    for (std::int64_t i = 0; i <= n; ++i) places.push_back(static_cast<double>(i) / static_cast<double>(n));
    return places;
}

/// Exact risks: eighths of the panels of the target's mesh, which is fine where the target is.
std::vector<double> mesh_places(const Problem& problem, const kernels::Program& program, const SampledLine& line) {
    const std::vector<double> mesh = target_mesh(problem.input, program).points;
    std::vector<double> places{0};
    const auto add = [&](double t) {
        if (t > places.back() + 0x1p-38 && t < 1 - 0x1p-38) places.push_back(t);
    };
    for (std::size_t p = 0; p + 1 < mesh.size(); ++p)
        for (int i = 0; i < 8; ++i) add((std::fma(i / 8.0, mesh[p + 1] - mesh[p], mesh[p]) - line.from[0]) / (line.to[0] - line.from[0]));
    places.push_back(1);
    return places;
}

/// The divided difference of the target at some of the samples: of order `nodes` - 1, the leading coefficient of the polynomial through
/// them.
template <class Nodes>
Interval divided_difference(const Samples& samples, const Nodes& nodes, int count) {
    Interval sum{0, 0};
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(nodes[static_cast<std::size_t>(i)]);
        Interval product{1, 1};
        for (int j = 0; j < count; ++j)
            if (j != i) product = product * (samples.t[at] - samples.t[static_cast<std::size_t>(nodes[static_cast<std::size_t>(j)])]);
        sum = sum + samples.target[at] / product;
    }
    return sum;
}

bool excludes_zero(const Interval& interval) { return interval.low > 0 || interval.high < 0; }

constexpr int most_nodes = 18;  // degree 16, one more for the order of the difference, and one

/// `count` of the samples first .. last, equally spread, both ends among them.
void spread(int first, int last, int count, std::array<int, most_nodes>& nodes) {
    for (int q = 0; q < count; ++q)
        nodes[static_cast<std::size_t>(q)] = count == 1 ? first : first + static_cast<int>(std::int64_t{last - first} * q / (count - 1));
}

/// Whether the target is provably no polynomial of `degree` between two samples, by a difference that has the last cell of them in it.
bool curved(const Samples& samples, int degree, int first, int last) {
    if (last - first < degree + 1) return false;
    std::array<int, most_nodes> nodes{};
    spread(first, last - 1, degree + 1, nodes);
    nodes[static_cast<std::size_t>(degree) + 1] = last;
    return excludes_zero(divided_difference(samples, nodes, degree + 2));
}

/// Samples first and last.
struct Part {
    int first, last;
};

/// Disjoint parts on which the target is no polynomial, each as short as it can be, at most `wanted`.
std::vector<Part> curved_parts(const Samples& samples, int degree, std::int64_t wanted) {
    std::vector<Part> parts;
    const int n = static_cast<int>(samples.t.size()) - 1;
    for (int first = 0, last = 1; last <= n && static_cast<std::int64_t>(parts.size()) < wanted; ++last) {
        if (!curved(samples, degree, first, last)) continue;
        int start = first;
        while (curved(samples, degree, start + 1, last)) ++start;
        parts.push_back({start, last});
        first = last;
    }
    return parts;
}

/// As many kinks as parts: one in each, and none between them. There the network has the target's leading coefficients q_0 .. q_m, and if
/// the neurons of S grow to the left, q_0 = - sum over S of (q_i - q_(i-1)). True if no S can have that.
bool orientations_excluded(const Samples& samples, int degree, const std::vector<Part>& parts) {
    constexpr std::size_t most = 14;
    if (parts.empty() || parts.size() > most) return false;
    std::vector<Interval> leading;
    for (std::size_t q = 0; q <= parts.size(); ++q) {
        const int first = q == 0 ? 0 : parts[q - 1].last;
        const int last = q == parts.size() ? static_cast<int>(samples.t.size()) - 1 : parts[q].first;
        if (last - first < degree) return false;
        std::array<int, most_nodes> nodes{};
        spread(first, last, degree + 1, nodes);
        leading.push_back(divided_difference(samples, nodes, degree + 1));
    }
    for (std::size_t subset = 0; subset < std::size_t{1} << parts.size(); ++subset) {
        Interval sum = leading[0];
        for (std::size_t i = 0; i < parts.size(); ++i)
            if (subset >> i & 1) sum = sum + (leading[i + 1] - leading[i]);
        if (!excludes_zero(sum)) return false;
    }
    return true;
}

/// Whether the target provably grows somewhere and falls elsewhere; a neuron of a monotone activation does not.
bool grows_and_falls(const Samples& samples) {
    bool grows = false, falls = false;
    double low = samples.target[0].high, high = samples.target[0].low;  // the least upper and the largest lower end so far
    for (const Interval& value : samples.target) {
        grows = grows || value.low > low;
        falls = falls || value.high < high;
        low = std::min(low, value.high);
        high = std::max(high, value.low);
    }
    return grows && falls;
}

bool is_constant(const Samples& samples) {
    return std::none_of(samples.target.begin(), samples.target.end(),
                        [&](const Interval& value) { return value.low > samples.target[0].high || value.high < samples.target[0].low; });
}

std::string polynomial(int degree) { return degree == 1 ? "affine" : fmt::format("a polynomial of degree {}", degree); }

/// What the samples of one line prove.
std::optional<PositiveRisk> proved_on(const Samples& samples, const Shape& shape, std::int64_t largest) {
    const std::vector<Part> parts = curved_parts(samples, shape.degree, shape.kinks * largest + 1);
    const auto count = static_cast<std::int64_t>(parts.size());
    const std::int64_t by_count = std::min((count - 1) / shape.kinks, largest);
    const auto counted = fmt::format("not {} on any of {} part{} of", polynomial(shape.degree), count, count == 1 ? "" : "s");
    if (shape.one_sided && count <= largest && orientations_excluded(samples, shape.degree, parts))
        return PositiveRisk{
            count, fmt::format("{}, and between them with slopes that {} neuron{} cannot have, on", counted, count, count == 1 ? "" : "s")};
    if (count > 0 && by_count >= 1) return PositiveRisk{by_count, counted};
    if (largest >= 1 && shape.monotone && grows_and_falls(samples)) return PositiveRisk{1, "growing and falling, as no neuron does, on"};
    if (is_constant(samples)) return std::nullopt;
    return PositiveRisk{0, "not constant on"};
}

/// Both ends, if that is short.
void name(SampledLine& line, const std::string& otherwise) {
    const auto point = [](const std::vector<double>& x) {
        return x.size() == 1 ? fmt::format("{:g}", x[0]) : fmt::format("({:g})", fmt::join(x, ", "));
    };
    line.name = line.from.size() <= 3 ? fmt::format("the line from {} to {}", point(line.from), point(line.to)) : otherwise;
}

/// d = 1: the domain. Beyond: along each coordinate that the target has, and chords in directions without relation to the axes.
std::vector<SampledLine> lines_of(const InputLaw& input, const kernels::Program& program) {
    const auto dimension = static_cast<std::size_t>(input.dimension);
    std::vector<double> low, high;  // of a box in the domain
    for (std::size_t k = 0; k < dimension; ++k) {
        const InputLaw law = input.hull(static_cast<std::int64_t>(k));
        const double part = input.is_round() ? 1 / std::sqrt(static_cast<double>(dimension)) : 1;
        low.push_back(law.bounded ? part * law.low : law.mean - 3 * law.deviation);
        high.push_back(law.bounded ? part * law.high : law.mean + 3 * law.deviation);
    }
    std::vector<SampledLine> lines;
    const auto add = [&](std::vector<double> from, std::vector<double> to, const std::string& otherwise) {
        lines.push_back({std::move(from), std::move(to), ""});
        name(lines.back(), otherwise);
    };
    if (dimension == 1) {
        add(low, high, "");
        return lines;
    }
    // Off the ends of the box, since lines beside count as well.
    const auto place = [&](std::size_t k, double part) { return low[k] + (0.01 + 0.98 * part) * (high[k] - low[k]); };
    // Parts of the golden ratio: no two coordinates or lines alike.
    const auto fraction = [](std::size_t i) { return std::fmod(0.5 + 0.6180339887498949 * static_cast<double>(i), 1.0); };
    constexpr std::size_t most_axes = 16, chords = 8;
    for (std::size_t k = 0; k < dimension && lines.size() < most_axes; ++k) {
        const bool occurs = std::any_of(program.code, program.code + program.length, [&](const kernels::Instruction& one) {
            return one.op == kernels::Op::Variable && one.index == static_cast<std::int32_t>(k);
        });
        if (!occurs) continue;
        std::vector<double> from, to;
        for (std::size_t j = 0; j < dimension; ++j) {
            from.push_back(place(j, j == k ? 0 : fraction(j)));
            to.push_back(place(j, j == k ? 1 : fraction(j)));
        }
        add(std::move(from), std::move(to), fmt::format("a line along x{}", k + 1));
    }
    for (std::size_t c = 0; c < chords; ++c) {
        std::vector<double> from, to;
        for (std::size_t j = 0; j < dimension; ++j) {
            const double start = 0.15 * fraction(7 * c + j), end = 1 - 0.15 * fraction(11 * c + 3 * j + 1);
            const bool forward = (c >> (j % 3) & 1) == 0;
            from.push_back(place(j, forward ? start : end));
            to.push_back(place(j, forward ? end : start));
        }
        add(std::move(from), std::move(to), fmt::format("chord {} of {}", c + 1, input.is_round() ? "a cube in the ball" : "the box"));
    }
    return lines;
}

/// Data points with different inputs, ascending by them, as a little more than rounding to the precision can have moved them: points on a
/// line up to that prove nothing. Of those that share an input the mean output.
struct EnclosedPoints {
    std::vector<std::vector<double>> inputs;  ///< [count][dimension]
    std::vector<Interval> targets;            ///< [count]
    Interval beside{0, 0};                    ///< what every coordinate may be moved by
};

EnclosedPoints enclosed(const NodeSet& points, kernels::Precision precision) {
    const double unit = precision == kernels::Precision::Float32 ? 0x1p-22 : 0x1p-50;
    const auto around = [&](const std::vector<double>& values) {
        double largest = 0;
        for (const double value : values) largest = std::max(largest, std::fabs(value));
        return Interval{-unit * largest, unit * largest};
    };
    struct Sums {
        Interval target{0, 0}, weight{0, 0};
    };
    std::map<std::vector<double>, Sums> by_input;
    const auto d = static_cast<std::size_t>(points.dimension);
    for (std::size_t i = 0; i < points.targets.size(); ++i) {
        const auto first = points.inputs.begin() + static_cast<std::ptrdiff_t>(i * d);
        Sums& sums = by_input[{first, first + points.dimension}];
        const Interval share = Interval::point(points.weights[i]);
        sums.target = sums.target + share * Interval::point(points.targets[i]);
        sums.weight = sums.weight + share;
    }
    EnclosedPoints all;
    all.beside = around(points.inputs);
    const Interval above = around(points.targets);
    for (const auto& [input, sums] : by_input) {
        all.inputs.push_back(input);
        all.targets.push_back(sums.target / sums.weight + above);
    }
    return all;
}

/// Some of the points as samples of a line along coordinate k.
Samples sample(const EnclosedPoints& points, const std::vector<std::size_t>& chosen, std::size_t k) {
    Samples samples;
    for (const std::size_t i : chosen) {
        samples.t.push_back(Interval::point(points.inputs[i][k]) + points.beside);
        samples.target.push_back(points.targets[i]);
    }
    return samples;
}

/// Whether the given points are provably not on the graph of an affine function: a determinant of d + 2 of them is not 0. They are chosen
/// by elimination in double, and judged by the same elimination on intervals.
bool not_affine(const EnclosedPoints& points, std::vector<std::size_t> chosen) {
    constexpr std::size_t most = 4096;
    const std::size_t size = points.inputs.front().size() + 2;
    if (chosen.size() < size) return false;
    if (chosen.size() > most) chosen.resize(most);
    const auto entry = [&](std::size_t point, std::size_t column) {
        if (column == 0) return Interval{1, 1};
        if (column + 1 == size) return points.targets[point];
        return Interval::point(points.inputs[point][column - 1]) + points.beside;
    };
    std::vector<std::vector<double>> rows;
    for (const std::size_t point : chosen) {
        std::vector<double>& row = rows.emplace_back();
        for (std::size_t column = 0; column < size; ++column)
            row.push_back(0.5 * entry(point, column).low + 0.5 * entry(point, column).high);
    }
    for (std::size_t step = 0; step < size; ++step) {
        std::size_t best = step;
        for (std::size_t r = step; r < rows.size(); ++r)
            if (std::fabs(rows[r][step]) > std::fabs(rows[best][step])) best = r;
        if (!(std::fabs(rows[best][step]) > 0)) return false;
        std::swap(rows[step], rows[best]);
        std::swap(chosen[step], chosen[best]);
        for (std::size_t r = step + 1; r < rows.size(); ++r) {
            const double factor = rows[r][step] / rows[step][step];
            for (std::size_t column = step; column < size; ++column) rows[r][column] -= factor * rows[step][column];
        }
    }
    std::vector<std::vector<Interval>> matrix(size);
    for (std::size_t r = 0; r < size; ++r)
        for (std::size_t column = 0; column < size; ++column) matrix[r].push_back(entry(chosen[r], column));
    for (std::size_t step = 0; step < size; ++step) {
        if (!excludes_zero(matrix[step][step])) return false;
        for (std::size_t r = step + 1; r < size; ++r) {
            const Interval factor = matrix[r][step] / matrix[step][step];
            for (std::size_t column = step + 1; column < size; ++column)
                matrix[r][column] = matrix[r][column] - factor * matrix[step][column];
        }
    }
    return true;
}

/// Where one relu neuron is at its constant, all values are the least or the largest one; the points above, or below, are on the graph of
/// an affine function.
bool excludes_one_neuron(const EnclosedPoints& points) {
    double least = points.targets.front().high, largest = points.targets.front().low;
    for (const Interval& target : points.targets) {
        least = std::min(least, target.high);
        largest = std::max(largest, target.low);
    }
    std::vector<std::size_t> above, below;
    for (std::size_t i = 0; i < points.targets.size(); ++i) {
        if (points.targets[i].low > least) above.push_back(i);
        if (points.targets[i].high < largest) below.push_back(i);
    }
    return not_affine(points, above) && not_affine(points, below);
}

/// In dimension 1 the points are samples of a line. Beyond, those are that differ in one coordinate only.
std::optional<PositiveRisk> proved_on_data(const EnclosedPoints& points, const Shape& shape, std::int64_t largest) {
    const std::size_t d = points.inputs.front().size();
    std::vector<std::size_t> all(points.inputs.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    std::optional<PositiveRisk> best;
    const auto keep = [&](std::optional<PositiveRisk> found, const char* where) {
        if (!found || (best && found->width <= best->width)) return;
        best = PositiveRisk{found->width, fmt::format("the output is {} the data points{}", found->proof, where)};
    };
    if (d == 1) {
        keep(proved_on(sample(points, all, 0), shape, largest), "");
        return best;
    }
    Samples outputs;
    outputs.target = points.targets;
    if (!is_constant(outputs)) keep(PositiveRisk{0, "not constant on"}, "");
    if (best && largest >= 1 && shape.one_sided && shape.degree == 1 && excludes_one_neuron(points))
        keep(PositiveRisk{1, "not affine, neither above its least value nor below its largest one, on"}, "");
    for (std::size_t k = 0; k < d; ++k) {
        std::map<std::vector<double>, std::vector<std::size_t>>
            lines;  // by the other coordinates; ascending in this one, as the points are
        for (const std::size_t i : all) {
            std::vector<double> others = points.inputs[i];
            others[k] = 0;
            lines[others].push_back(i);
        }
        for (const auto& [others, line] : lines)
            if (line.size() > 2) keep(proved_on(sample(points, line, k), shape, largest), " of a line along a coordinate");
    }
    return best;
}

std::optional<PositiveRisk> search(const Problem& problem, std::int64_t largest) {
    const std::optional<Shape> shape = shape_of(problem.activation);
    if (!shape || largest < 0) return std::nullopt;
    if (problem.has_data()) {
        return proved_on_data(enclosed(data_nodes(*problem.data, problem.precision), problem.precision), *shape, largest);
    }
    if (problem.input.kind == InputLaw::Kind::Sphere) return std::nullopt;  // no line lies on it
    const Expression target = Expression::compile(problem.target, problem.input.dimension);
    const std::vector<SampledLine> lines = lines_of(problem.input, target.program());
    // A beta law has a positive density inside of the box.
    const bool has_expression = problem.input.kind == InputLaw::Kind::Density;
    const Expression density = Expression::compile(has_expression ? problem.input.density : "1", 1);
    const kernels::Program density_program = density.program();
    const kernels::Program* const seen = has_expression ? &density_program : nullptr;
    PositiveRisk best{-1, ""};
    const auto look = [&](const SampledLine& line, const std::vector<double>& places) {
        const auto found = proved_on(sample(target.program(), line, places, seen), *shape, largest);
        if (found && found->width > best.width) best = {found->width, fmt::format("the target is {} {}", found->proof, line.name)};
        return best.width == largest;
    };
    // As few points as the count needs keep differences large; more find short curved parts.
    constexpr std::int64_t fewest = 64, most = 1 << 16;
    const std::int64_t needed = std::clamp((shape->kinks * largest + 1) * (shape->degree + 1), fewest, most);
    for (const std::int64_t factor : {1, 4, 16})
        for (const SampledLine& line : lines)
            if (needed * factor <= most && look(line, equal_parts(needed * factor))) return best;
    if (problem.has_exact_risk()) look(lines[0], mesh_places(problem, target.program(), lines[0]));
    return best.width < 0 ? std::nullopt : std::optional(best);
}

}  // namespace

std::optional<PositiveRisk> positive_risk(const Problem& problem, std::int64_t largest) {
    static std::mutex mutex;
    static std::map<std::pair<std::string, std::int64_t>, std::optional<PositiveRisk>> known;
    const std::scoped_lock guard(mutex);
    const auto [found, added] = known.try_emplace({problem.id, largest});
    if (added) found->second = search(problem, largest);
    return found->second;
}

}  // namespace limrisk::optimum
