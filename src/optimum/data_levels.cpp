// On a finite set of points a network without a kink on a point is linear in c and the (v w, v b) of its neurons, as long as no kink passes
// a point: it is a local minimum iff it is the least-squares fit of its pattern. A kink on a point adds a convex bend there, or is none.
#include "optimum/data_levels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "evaluation/rule.hpp"
#include "limrisk/error.hpp"
#include "optimum/data_pattern.hpp"
#include "optimum/relu_line.hpp"

namespace limrisk::optimum {
namespace {

using namespace patterns;
static_assert(widest == widest_on_data);

/// In the order of the kinks, the linear neuron last.
std::string shape_of(const std::vector<Place>& places, const Network& network) {
    std::vector<std::pair<double, char>> kinks;
    bool linear = false;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto neuron = static_cast<std::int64_t>(i);
        const char side = places[i].left ? 'L' : 'R', on_point = places[i].left ? 'l' : 'r';
        if (places[i].kind == Place::All)
            linear = true;
        else
            kinks.emplace_back(-network.bias(neuron) / network.weight(neuron, 0), places[i].kind == Place::Point ? on_point : side);
    }
    std::sort(kinks.begin(), kinks.end());
    std::string text;
    for (const auto& [kink, letter] : kinks) text += letter;
    return linear ? text + "+" : text;
}

/// A network in the units of the points, and whether it is what the pattern wants, judged by the numbers of the network alone.
class Judged {
public:
    Judged(const TrueRisk& risk, const Points& points, const std::vector<Place>& places, const Fitted& fitted)
        : risk_(risk), points_(points), places_(places) {
        const auto width = static_cast<std::int64_t>(places.size());
        level_.network = Network(width, 1);
        Network& network = level_.network;
        Real outer_bias = points.output_mean + points.output_scale * fitted.outer_bias;
        for (std::int64_t i = 0; i < width; ++i) {
            const Place& place = places[static_cast<std::size_t>(i)];
            const Affine& neuron = fitted.neurons[static_cast<std::size_t>(i)];
            const Real slope = neuron.slope * points.output_scale / points.reach;
            if (!(std::fabs(neuron.slope) > margin)) idle_ = true;
            Real kink = points.middle - points.reach * neuron.constant / neuron.slope;
            if (place.kind == Place::Point) kink = points.inputs[static_cast<std::size_t>(place.at)];
            if (place.kind == Place::All) {
                kink = points.middle - 3 * points.reach;
                outer_bias += slope * (kink - points.middle) + points.output_scale * neuron.constant;
            }
            network.weight(i, 0) = place.left ? -1 : 1;
            network.bias(i) = static_cast<double>(place.left ? kink : -kink);
            network.outer(i) = static_cast<double>(place.left ? -slope : slope);
        }
        network.outer_bias() = static_cast<double>(outer_bias);
        level_.risk = risk(network);
        level_.shape = shape_of(places, network);
    }

    /// nullopt if a condition of a local minimum does not hold, or a narrower network does the same.
    std::optional<DataLevel> level(const Pattern& pattern) {
        if (idle_ || !std::isfinite(level_.risk)) return std::nullopt;
        const Eigen::VectorXd eigenvalues =
            Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(pattern.hessian(), Eigen::EigenvaluesOnly).eigenvalues();
        level_.largest_eigenvalue = eigenvalues(eigenvalues.size() - 1);
        const double least = eigenvalues(0);
        level_.smallest_eigenvalue = least > static_cast<double>(dependent) * level_.largest_eigenvalue ? least : 0;
        level_.strict = true;
        if (risk_.is_zero(level_.risk)) {  // there is nothing below
            level_.risk = 0;
            return level_;
        }
        // Where kinks fit within rounding only, the numbers of a network may be too large for its outputs.
        const Real scale = points_.output_scale * points_.output_scale;
        if (!(level_.risk <= scale * pattern.risk() * (1 + 1e-6L) + 1e-18L * scale)) return std::nullopt;
        look_at_residuals();
        look_at_kinks();
        look_at_sums();
        return possible_ ? std::optional(level_) : std::nullopt;
    }

private:
    /// `holds`: by how much, in units in which `unit` is what rounding may make of it.
    void demand(Real holds, Real unit) {
        possible_ = possible_ && holds >= -unit;
        level_.strict = level_.strict && holds > unit;
    }

    /// weight (N - y) of each different input, and how exact that is.
    void look_at_residuals() {
        const Network& network = level_.network;
        Real largest = 0;
        for (int k = 0; k < points_.count(); ++k) {
            const double x = points_.inputs[static_cast<std::size_t>(k)];
            const Real output = realization(risk_.problem().activation, network, &x, nullptr);
            Real size = std::fabs(static_cast<Real>(network.outer_bias()));
            for (std::int64_t i = 0; i < network.width; ++i)
                size += std::fabs(static_cast<Real>(network.outer(i))) * (std::fabs(x) + std::fabs(network.bias(i)));
            largest = std::max(largest, size);
            residual_.push_back(points_.weight[static_cast<std::size_t>(k)] * (output - points_.output_mean) / points_.output_scale -
                                points_.sum_y[static_cast<std::size_t>(k)]);
        }
        unit_ = margin * std::sqrt(static_cast<Real>(level_.risk)) / points_.output_scale + 1e-14L * largest / points_.output_scale;
    }

    /// Every neuron is active where it is to be, and on no other point.
    void look_at_kinks() {
        const Network& network = level_.network;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Place& place = places_[i];
            const auto neuron = static_cast<std::int64_t>(i);
            const auto towards = [&](int k) {  // how far inside the half line on which it is active
                const double x = points_.inputs[static_cast<std::size_t>(k)];
                return (static_cast<Real>(network.weight(neuron, 0)) * x + network.bias(neuron)) / points_.reach;
            };
            const double exact = 1e-12 * (1 + std::fabs(static_cast<double>(points_.middle / points_.reach)));
            const auto hold = [&](Real holds) {
                possible_ = possible_ && holds >= -margin;
                level_.strict = level_.strict && holds > exact;
            };
            if (place.kind != Place::Gap) continue;  // by construction
            hold(towards(place.left ? place.at : place.at + 1));
            hold(-towards(place.left ? place.at + 1 : place.at));
        }
    }

    /// The generalized gradient contains 0.
    void look_at_sums() {
        const auto sums = [&](int first, int end) {
            Real plain = 0, times_x = 0, mass = 0;
            for (int k = first; k < end; ++k) {
                const auto m = static_cast<std::size_t>(k);
                plain += residual_[m], times_x += residual_[m] * points_.x[m], mass += points_.weight[m];
            }
            return std::array<Real, 3>{plain, times_x, std::sqrt(mass)};
        };
        Real square = 0;
        const auto vanish = [&](Real sum, Real root) {
            possible_ = possible_ && std::fabs(sum) <= unit_ * root;
            square += 4 * sum * sum;
        };
        const auto whole = sums(0, points_.count());
        vanish(whole[0], 1);
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Place& place = places_[i];
            const auto [plain, times_x, root] = sums(place.first, place.end);
            if (place.kind != Place::Point) {
                vanish(plain, root);
                vanish(times_x, root);
                continue;
            }
            const auto at = static_cast<std::size_t>(place.at);
            vanish(times_x - points_.x[at] * plain, 2 * root);
            const Real sign = level_.network.outer(static_cast<std::int64_t>(i)) > 0 ? 1 : -1, bend = residual_[at];
            demand(sign * bend, unit_ * std::sqrt(points_.weight[at]));
            demand(-sign * plain, unit_ * root);
            demand(sign * (plain + bend), unit_ * std::sqrt(root * root + points_.weight[at]));
        }
        level_.gradient = static_cast<double>(std::sqrt(square));
    }

    const TrueRisk& risk_;
    const Points& points_;
    const std::vector<Place>& places_;
    DataLevel level_;
    std::vector<Real> residual_;
    Real unit_ = 0;
    bool idle_ = false, possible_ = true;
};

/// Choices of places for 0 .. `width` neurons.
double patterns_of(std::size_t places, std::int64_t width) {
    double total = 1, of_width = 1;
    for (std::int64_t k = 1; k <= width; ++k) {
        of_width *= (static_cast<double>(places) + static_cast<double>(k) - 1) / static_cast<double>(k);
        total += of_width;
    }
    return total;
}

/// All choices of places for 0 .. width neurons. Those that a narrower network does as well are left out: two linear neurons, two kinks on
/// one point to the same side, three in one gap (two of them, with v of both signs, already make any affine function there).
class Patterns {
public:
    Patterns(const TrueRisk& risk, std::int64_t width, const SearchControl& control)
        : risk_(risk),
          points_(risk.nodes(Network(0, 1))),
          places_(places_of(points_.count())),
          width_(width),
          control_(control),
          total_(patterns_of(places_.size(), width)),
          of_width_(static_cast<std::size_t>(width) + 1) {
        if (total_ > most_patterns)
            throw Error(ExitCode::Usage,
                        fmt::format("{}: {} different inputs and width {} make {:.2g} patterns of kinks between and on the points; at most "
                                    "{:.2g} are searched. A smaller --width has fewer",
                                    risk.problem().label, points_.count(), width, total_, most_patterns));
    }

    DataMinima minima() {
        add(0);
        std::sort(found_.begin(), found_.end(), [](const DataLevel& a, const DataLevel& b) {
            return std::tuple(a.risk, a.network.width) < std::tuple(b.risk, b.network.width);
        });
        DataMinima minima;
        for (std::int64_t width = 0; width <= width_; ++width) minima.optima.push_back(minimum(width));
        for (DataLevel& level : found_) {
            if (!minima.levels.empty() && same(level, minima.levels.back())) {
                // The narrower, unless only the other is proved.
                DataLevel& known = minima.levels.back();
                const auto rank = [](const DataLevel& one) { return std::tuple(!one.strict, one.network.width); };
                if (rank(level) < rank(known)) known = std::move(level);
                continue;
            }
            minima.levels.push_back(std::move(level));
        }
        return minima;
    }

private:
    /// What was looked at of networks all of whose neurons take part.
    struct OfWidth {
        Real least = HUGE_VALL;  ///< of the fits that may be networks
        bool clear = true;
        int patterns = 0;
    };

    static bool same(const DataLevel& level, const DataLevel& lower) { return level.risk - lower.risk <= level_tolerance * level.risk; }

    /// `found_` is in order.
    DataMinimum minimum(std::int64_t width) const {
        DataMinimum minimum;
        const DataLevel* least = nullptr;
        for (const DataLevel& level : found_) {
            if (level.network.width > width) continue;
            if (least == nullptr) least = &level;
            if (!same(level, *least)) {
                minimum.next = level.risk;
                break;
            }
            ++minimum.reached;
        }
        if (least == nullptr) throw Defect("no local minimum on data points");
        minimum.network = *least;
        Real bound = HUGE_VALL;
        bool clear = true;
        for (std::int64_t k = 0; k <= width; ++k) {
            const OfWidth& one = of_width_[static_cast<std::size_t>(k)];
            bound = std::min(bound, one.least);
            clear = clear && one.clear;
            minimum.patterns += one.patterns;
        }
        const Real rounding = 1e-13L * points_.square, scale = points_.output_scale * points_.output_scale;
        if (clear) minimum.bound = std::min(least->risk, static_cast<double>(scale * std::max<Real>(0, bound - rounding)));
        return minimum;
    }

    void add(std::size_t from) {
        constexpr std::int64_t often = 1 << 12;
        if (++looked_at_ % often == 0) {
            SearchClock(control_).poll();
            if (control_.progress) control_.progress({width_, width_, static_cast<double>(looked_at_) / total_});
        }
        const Pattern pattern(points_, chosen_);
        OfWidth& here = of_width_[chosen_.size()];
        ++here.patterns;
        here.clear = here.clear && pattern.is_clear();
        if (pattern.risk() < here.least && pattern.may_be_a_network()) here.least = pattern.risk();
        for (const Fitted& fitted : pattern.local_minima())
            if (std::optional<DataLevel> level = Judged(risk_, points_, chosen_, fitted).level(pattern)) {
                found_.push_back(std::move(*level));
                if (found_.back().strict) break;
            }
        if (static_cast<std::int64_t>(chosen_.size()) == width_) return;
        for (std::size_t k = from; k < places_.size(); ++k) {
            const auto times = std::count_if(chosen_.begin(), chosen_.end(), [&](const Place& one) {
                return one.kind == places_[k].kind && one.left == places_[k].left && one.at == places_[k].at;
            });
            if (times == (places_[k].kind == Place::Gap ? 2 : 1)) continue;
            chosen_.push_back(places_[k]);
            add(k);
            chosen_.pop_back();
        }
    }

    const TrueRisk& risk_;
    const Points points_;
    const std::vector<Place> places_;
    const std::int64_t width_;
    const SearchControl& control_;
    const double total_;
    std::int64_t looked_at_ = 0;
    std::vector<Place> chosen_;
    std::vector<DataLevel> found_;
    std::vector<OfWidth> of_width_;  ///< by neurons that take part
};

}  // namespace

bool has_pattern_search(const Problem& problem) {
    return problem.has_shared_data() && problem.input.dimension == 1 && problem.activation.kind == kernels::ActivationKind::Relu &&
           problem.has_squared_loss();
}

std::optional<std::int64_t> widest_by_patterns(const Problem& problem, std::int64_t largest, double most) {
    if (!has_pattern_search(problem)) return std::nullopt;
    const std::size_t places = places_of(Points(data_nodes(*problem.data, problem.precision)).count()).size();
    std::int64_t width = std::min(largest, widest_on_data);
    while (width > 0 && patterns_of(places, width) > most) --width;
    return width;
}

DataMinima data_minima(const TrueRisk& risk, std::int64_t width, const SearchControl& control) {
    if (width > widest_on_data)
        throw Error(ExitCode::Usage, fmt::format("levels on data points are searched up to width {}, not {}", widest_on_data, width));
    return Patterns(risk, width, control).minima();
}

}  // namespace limrisk::optimum
