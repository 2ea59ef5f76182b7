// Learning rates and bias corrections of consecutive steps: docs/numerics.md section 9. The same for every replica.
#pragma once
#include "optimizer.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Walks through the steps in order; decay powers are running products in double.
class Schedule {
public:
    Schedule(const Optimizer& optimizer, const LearningRate& rate) : optimizer_(optimizer), rate_(rate) {}

    static constexpr int slice = warp_lanes;

    /// Scalars of the next `count` <= slice steps.
    void next(StepScalars* scalars, int count) {
        // The schedules that are as old as this class, without a warm-up: many steps at once.
        const bool all_at_once = rate_.kind == ScheduleKind::Polynomial && rate_.warmup == 0;
        Pack<double> rates = splat_pack<double>(rate_.initial);
        if (all_at_once && rate_.power != 0) {
            for (int i = 0; i < warp_lanes; ++i) rates.set_lane(i, static_cast<double>(step_ + 1 + i));
            for_parts<double>([&](int p) {
                rates.part[p] = splat<VecDouble>(rate_.initial) * exp(-(splat<VecDouble>(rate_.power) * log(rates.part[p])));
            });
        }
        const OptimizerTraits& traits = traits_of(optimizer_.kind);
        for (int i = 0; i < count; ++i) {
            const std::int64_t step = step_ + 1 + i;
            alpha_power_ *= optimizer_.alpha;
            beta_power_ *= optimizer_.beta;
            scalars[i].learning_rate = all_at_once ? rates.lane(i) : rate_of(step);
            scalars[i].first_correction = corrected(traits.first_moment) ? 1 / (1 - alpha_power_) : 1;
            scalars[i].second_correction = corrected(traits.second_moment) ? 1 / (1 - beta_power_) : 1;
            scalars[i].gradient_factor = 0;
            if (optimizer_.kind == OptimizerKind::Nadam) {
                const double now = nadam_momentum(step), after = nadam_momentum(step + 1);
                momentum_product_ *= now;
                scalars[i].first_correction = after / (1 - momentum_product_ * after);
                scalars[i].gradient_factor = (1 - now) / (1 - momentum_product_);
            }
        }
        step_ += count;
    }

private:
    bool corrected(BiasCorrection moment) const {
        return moment == BiasCorrection::Always || (moment == BiasCorrection::Optional && optimizer_.bias_correction);
    }

    /// mu_n = alpha (1 - 0.96^(n psi) / 2)
    double nadam_momentum(std::int64_t step) const {
        constexpr double log_of_096 = -0.040821994520255166;
        return optimizer_.alpha * (1 - 0.5 * exp((static_cast<double>(step) * optimizer_.momentum_decay) * log_of_096));
    }

    /// gamma of the step that follows the one this was called for before.
    double rate_of(std::int64_t step) {
        if (step <= rate_.warmup) {
            const double part = static_cast<double>(step - 1) / static_cast<double>(rate_.warmup);
            return rate_.initial * fma(1 - rate_.warmup_start, part, rate_.warmup_start);
        }
        const std::int64_t n = step - rate_.warmup, t = rate_.from_one ? n : n - 1;
        const double periods = static_cast<double>(t) / static_cast<double>(rate_.every);
        switch (rate_.kind) {
            case ScheduleKind::Polynomial:
                return rate_.power == 0 ? rate_.initial : rate_.initial * exp(-(rate_.power * log(static_cast<double>(n))));
            case ScheduleKind::Step:
                if (t > 0 && t % rate_.every == 0) decay_ *= rate_.factor;
                return rate_.initial * decay_;
            case ScheduleKind::Exponential:
                return rate_.initial * exp(periods * log(rate_.factor));
            case ScheduleKind::Cosine:
                return t >= rate_.every ? rate_.last
                                        : fma(rate_.initial - rate_.last, 0.5 * (1 + cos(3.141592653589793 * periods)), rate_.last);
            case ScheduleKind::InverseTime:
                return rate_.initial / fma(rate_.factor, periods, 1.0);
            case ScheduleKind::Adaptive:
            case ScheduleKind::Search:  // times the factor of the trial, Replica::rate_factor
                return rate_.initial;
            case ScheduleKind::Piecewise:
                break;
        }
        const auto begun = [&](std::int64_t from) { return from > 0 && t >= from; };
        return begun(rate_.from_3) ? rate_.rate_3 : begun(rate_.from_2) ? rate_.rate_2 : begun(rate_.from_1) ? rate_.rate_1 : rate_.initial;
    }

    Optimizer optimizer_;
    LearningRate rate_;
    std::int64_t step_ = 0;
    double alpha_power_ = 1, beta_power_ = 1;
    double momentum_product_ = 1;  ///< nadam: of mu_1 .. mu_n
    double decay_ = 1;             ///< step: the power of `factor`
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
