// The mean square on a box is between the least and the largest square there, times the mass of the box.
#include "evaluation/sight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
        : input_(input), program_(program), mean_(mean), domain_(integration_domain(input)), mass_(mass(domain_.low, domain_.high)) {
        boxes_.push_back(box(std::vector<Interval>(static_cast<std::size_t>(input.dimension), {domain_.low, domain_.high})));
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
            if (!(whole.most > threshold || unbounded) || longest->width() <= smallest_side * (domain_.high - domain_.low)) {
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
    double mass(double low, double high) const {
        if (input_.kind == InputLaw::Kind::Uniform) return high - low;
        return normal_mass((low - input_.mean) / input_.deviation, (high - input_.mean) / input_.deviation);
    }
    Box box(std::vector<Interval> sides) const {
        double share = 1;
        for (const Interval& side : sides) share *= mass(side.low, side.high) / mass_;
        const Interval square = integer_power(enclose_target(program_, sides.data()).value - Interval::point(mean_), 2);
        return {std::move(sides), share * square.low, share == 0 ? 0 : share * square.high};
    }

    const InputLaw& input_;
    kernels::Program program_;
    double mean_;
    Domain domain_;
    double mass_;
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
    const double enough = 2 * seen.variance + rounding, least = least_mean_square(input, program, seen.mean, enough);
    if (least > enough) refuse("at least ", least);
}

}  // namespace limrisk
