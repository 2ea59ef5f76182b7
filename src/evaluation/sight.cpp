// The mean square on a box is between the least and the largest square there, times the mass of the box.
#include "evaluation/sight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "evaluation/density_law.hpp"
#include "evaluation/interval_arithmetic.hpp"
#include "evaluation/scalar.hpp"
#include "evaluation/target_moments.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr std::size_t most_boxes = 4096;
constexpr double smallest_side = 0x1p-30;  ///< of the domain's

class Boxes {
public:
    Boxes(const InputLaw& input, const kernels::Program& program, double mean)
        : program_(program), mean_(mean), radius_(input.is_round() ? input.radius : HUGE_VAL) {
        std::vector<Interval> whole;
        for (std::int64_t k = 0; k < input.dimension; ++k) {
            laws_.push_back(input.hull(k));
            const Domain domain = integration_domain(laws_.back());
            whole.push_back({domain.low, domain.high});
            masses_.push_back(mass(laws_.back(), whole.back()));
            widest_ = std::max(widest_, whole.back().width());
        }
        // Volume of the ball over that of its cube.
        const double d = static_cast<double>(input.dimension);
        if (input.is_round()) part_of_cube_ = std::exp(0.5 * d * std::log(std::numbers::pi / 4) - std::lgamma(0.5 * d + 1));
        boxes_.push_back(box(std::move(whole)));
    }
    double least() const {
        double sum = 0;
        for (const Box& box : boxes_) sum += box.least;
        return sum;
    }
    double most() const {
        double sum = 0;
        for (const Box& box : boxes_) sum += box.most;
        return sum;
    }
    /// Bisects the longest side of the boxes that may hold most; whether there was one to bisect.
    bool bisect() {
        if (boxes_.size() >= most_boxes) return false;
        const double threshold = most() / (4 * static_cast<double>(boxes_.size()));
        std::vector<Box> next;
        bool any = false;
        for (Box& whole : boxes_) {
            const auto longest = std::max_element(whole.sides.begin(), whole.sides.end(),
                                                  [](const auto& a, const auto& b) { return a.width() < b.width(); });
            const bool unbounded = std::isinf(threshold) && std::isinf(whole.most);
            if (!(whole.most > threshold || unbounded) || longest->width() <= smallest_side * widest_) {
                next.push_back(std::move(whole));
                continue;
            }
            any = true;
            const Interval side = *longest;
            const double middle = 0.5 * side.low + 0.5 * side.high;
            *longest = {side.low, middle};
            next.push_back(box(whole.sides));
            *longest = {middle, side.high};
            next.push_back(box(std::move(whole.sides)));
        }
        boxes_ = std::move(next);
        return any;
    }

private:
    struct Box {
        std::vector<Interval> sides;
        double least, most;  ///< of the mean square over it
    };
    static double mass(const InputLaw& law, const Interval& side) {
        if (law.kind == InputLaw::Kind::Uniform) return side.width();
        if (law.has_table()) return density_law(law)->probability(side.high) - density_law(law)->probability(side.low);
        return normal_mass((side.low - law.mean) / law.deviation, (side.high - law.mean) / law.deviation);
    }
    Box box(std::vector<Interval> sides) const {
        double share = 1 / part_of_cube_, nearest = 0, farthest = 0;
        for (std::size_t k = 0; k < sides.size(); ++k) {
            share *= mass(laws_[k], sides[k]) / masses_[k];
            const double near = std::max({0.0, sides[k].low, -sides[k].high}), far = std::max(-sides[k].low, sides[k].high);
            nearest += near * near;
            farthest += far * far;
        }
        // Of a box that is not wholly in the ball nothing is sure, and of one outside it nothing counts.
        if (nearest > radius_ * radius_ * (1 + 0x1p-40)) return {std::move(sides), 0, 0};
        const bool inside = farthest < radius_ * radius_ * (1 - 0x1p-40);
        const Interval square = integer_power(enclose_target(program_, sides.data()).value - Interval::point(mean_), 2);
        return {std::move(sides), inside ? share * square.low : 0, share == 0 ? 0 : share * square.high};
    }

    kernels::Program program_;
    double mean_, radius_;        ///< infinite without a ball
    std::vector<InputLaw> laws_;  ///< of the coordinates
    std::vector<double> masses_;  ///< of the coordinates' domains
    double widest_ = 0;           ///< longest side of the domain
    double part_of_cube_ = 1;     ///< what the ball fills
    std::vector<Box> boxes_;
};

}  // namespace

double least_mean_square(const InputLaw& input, const kernels::Program& program, double mean, double enough) {
    Boxes boxes(input, program, mean);
    while (!(boxes.least() > enough) && !(boxes.most() <= enough) && boxes.bisect()) {
    }
    return boxes.least();
}

void require_seen(const InputLaw& input, const kernels::Program& program, const kernels::NodeTable<double>& nodes, const std::string& text,
                  const std::string& key) {
    const TargetMoments seen = target_moments(nodes, input.dimension);
    const double rounding = 0x1p-40 * seen.largest * seen.largest;
    const auto refuse = [&](const char* relation, double variance) {
        throw ConfigError(
            {fmt::format("{}: the target \"{}\" lies between the nodes: its variance is {:.3g} on them, but {}{:.3g}; take more nodes, "
                         "a smaller box, or a wider target",
                         key, text, seen.variance, relation, variance)});
    };
    if (input.has_exact_integrals()) {
        const double variance = target_mesh(input, program).variance;
        if (std::fabs(seen.variance - variance) > 0.5 * variance + rounding) refuse("", variance);
        return;
    }
    if (input.kind == InputLaw::Kind::Sphere) return;  // boxes hold nothing of a sphere for sure
    const double enough = 2 * seen.variance + rounding, least = least_mean_square(input, program, seen.mean, enough);
    if (least > enough) refuse("at least ", least);
}

}  // namespace limrisk
