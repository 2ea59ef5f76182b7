#include "expert_step.hpp"

#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

namespace expert {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class Real>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(Real));

template <class Real>
struct VectorOf {
    typedef Real Type __attribute__((vector_size(vector_bytes)));
};
typedef std::uint32_t Words __attribute__((vector_size(vector_bytes)));

/// Aligned memory of zeros.
template <class T>
class Memory {
public:
    explicit Memory(std::size_t count) : data_(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64))) {
        std::memset(static_cast<void*>(data_.get()), 0, count * sizeof(T));
    }
    T* get() const { return data_.get(); }

private:
    struct Free {
        void operator()(T* data) const { std::free(data); }
    };
    std::unique_ptr<T, Free> data_;
};

/// 16 streams of xoshiro128+ (Blackman, Vigna 2018).
class Xoshiro {
public:
    Xoshiro() {
        std::mt19937 seeds(7);
        for (auto& word : state_)
            for (auto& stream : word) stream = static_cast<std::uint32_t>(seeds());
    }
    template <class Real>
    void fill(Real* out, std::int64_t count) {
        for (std::int64_t i = 0; i < count; i += 16)
#pragma omp simd
            for (int j = 0; j < 16; ++j) {
                const std::uint32_t sum = state_[0][j] + state_[3][j], shifted = state_[1][j] << 9;
                state_[2][j] ^= state_[0][j];
                state_[3][j] ^= state_[1][j];
                state_[1][j] ^= state_[2][j];
                state_[0][j] ^= state_[3][j];
                state_[2][j] ^= shifted;
                state_[3][j] = (state_[3][j] << 11) | (state_[3][j] >> 21);
                out[i + j] = static_cast<Real>(static_cast<std::int32_t>(sum >> 9)) * static_cast<Real>(0x1p-23);
            }
    }

private:
    alignas(64) std::uint32_t state_[4][16];
};

/// Philox4x32-10 (Salmon et al. 2011), 16 counters at once.
class Philox {
public:
    template <class Real>
    void fill(Real* out, std::int64_t count) {
        for (std::int64_t i = 0; i < count; i += 64, ++position_) {
            alignas(64) std::uint32_t c[4][16];
#pragma omp simd
            for (int j = 0; j < 16; ++j) {
                std::uint32_t c0 = static_cast<std::uint32_t>(position_), c1 = 0, c2 = static_cast<std::uint32_t>(j), c3 = 0, k0 = 1,
                              k1 = 2;
                for (int round = 0; round < 10; ++round) {
                    const std::uint64_t a = static_cast<std::uint64_t>(c0) * 0xD2511F53u, b = static_cast<std::uint64_t>(c2) * 0xCD9E8D57u;
                    c0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ k0;
                    c1 = static_cast<std::uint32_t>(b);
                    c2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ k1;
                    c3 = static_cast<std::uint32_t>(a);
                    k0 += 0x9E3779B9u;
                    k1 += 0xBB67AE85u;
                }
                c[0][j] = c0, c[1][j] = c1, c[2][j] = c2, c[3][j] = c3;
            }
            const std::uint32_t* words = c[0];
            for (int j = 0; j < 64 && i + j < count; ++j)
                out[i + j] = static_cast<Real>(static_cast<std::int32_t>(words[j] >> 9)) * static_cast<Real>(0x1p-23);
        }
    }

private:
    std::int64_t position_ = 0;
};

/// One network; x [D][batch].
template <class Real, int D>
void gradient_over_samples(int h, int batch, const Real* p, Real* g, const Real* __restrict x, Real* __restrict e) {
    const Real *w = p, *b = p + D * h, *v = b + h, c = v[h];
    for (int m = 0; m < batch; ++m) e[m] = c - x[m] * (x[m] + 2);
    for (int i = 0; i < h; ++i) {
        const Real bias = b[i], outer = v[i];
#pragma omp simd
        for (int m = 0; m < batch; ++m) {
            Real z = bias;
            for (int k = 0; k < D; ++k) z += w[k * h + i] * x[k * batch + m];
            e[m] += outer * (z > 0 ? z : 0);
        }
    }
    Real sum = 0;
    for (int m = 0; m < batch; ++m) {
        e[m] *= Real(2) / batch;
        sum += e[m];
    }
    for (int i = 0; i < h; ++i) {
        const Real bias = b[i];
        Real inner[D], t[D] = {}, t0 = 0;
        for (int k = 0; k < D; ++k) inner[k] = w[k * h + i];
#pragma omp simd reduction(+ : t0, t)
        for (int m = 0; m < batch; ++m) {
            Real z = bias;
            for (int k = 0; k < D; ++k) z += inner[k] * x[k * batch + m];
            const Real active = z > 0 ? e[m] : 0;
            t0 += active;
            for (int k = 0; k < D; ++k) t[k] += active * x[k * batch + m];
        }
        Real dv = bias * t0;
        for (int k = 0; k < D; ++k) {
            dv += inner[k] * t[k];
            g[k * h + i] = v[i] * t[k];
        }
        g[D * h + i] = v[i] * t0;
        g[(D + 1) * h + i] = dv;
    }
    g[(D + 2) * h] = sum;
}

/// A replica per lane; x [batch][D].
template <class Real, int D>
void gradient_over_lanes(int h, int batch, const typename VectorOf<Real>::Type* p, typename VectorOf<Real>::Type* g,
                         const typename VectorOf<Real>::Type* x, typename VectorOf<Real>::Type* e) {
    using V = typename VectorOf<Real>::Type;
    constexpr int at_once = D == 1 ? 8 : 4;
    const V *w = p, *b = p + D * h, *v = b + h, c = v[h], zero = {};
    V sum = {};
    for (int first = 0; first < batch; first += at_once) {
        V output[at_once];
        for (int s = 0; s < at_once; ++s) output[s] = c - x[(first + s) * D] * (x[(first + s) * D] + 2);
        for (int i = 0; i < h; ++i)
#pragma GCC unroll 8
            for (int s = 0; s < at_once; ++s) {
                V z = b[i];
                for (int k = 0; k < D; ++k) z += w[k * h + i] * x[(first + s) * D + k];
                output[s] += v[i] * (z > zero ? z : zero);
            }
        for (int s = 0; s < at_once; ++s) {
            e[first + s] = output[s] * (Real(2) / batch);
            sum += e[first + s];
        }
    }
    for (int i = 0; i < h; ++i) {
        V t[D] = {}, t0 = {};
#pragma GCC unroll 8
        for (int m = 0; m < batch; ++m) {
            V z = b[i];
            for (int k = 0; k < D; ++k) z += w[k * h + i] * x[m * D + k];
            const V active = z > zero ? e[m] : zero;
            t0 += active;
            for (int k = 0; k < D; ++k) t[k] += active * x[m * D + k];
        }
        V dv = b[i] * t0;
        for (int k = 0; k < D; ++k) {
            dv += w[k * h + i] * t[k];
            g[k * h + i] = v[i] * t[k];
        }
        g[D * h + i] = v[i] * t0;
        g[(D + 1) * h + i] = dv;
    }
    g[(D + 2) * h] = sum;
}

template <class Real>
class Update {
public:
    Update(bool adam, std::size_t count) : adam_(adam), first_(adam ? count : 1), second_(adam ? count : 1) {}

    void operator()(std::int64_t count, Real* p, const Real* g) {
        if (!adam_) {
#pragma omp simd
            for (std::int64_t i = 0; i < count; ++i) p[i] -= Real(0.01) * g[i];
            return;
        }
        Real *m = first_.get(), *q = second_.get();
        const auto rate = static_cast<Real>(0.001 / (1 - (alpha_ *= 0.9))), correction = static_cast<Real>(1 / (1 - (beta_ *= 0.999)));
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) {
            m[i] = Real(0.9) * m[i] + Real(0.1) * g[i];
            q[i] = Real(0.999) * q[i] + Real(0.001) * g[i] * g[i];
            p[i] -= rate * m[i] / (std::sqrt(q[i] * correction) + Real(1e-8));
        }
    }

private:
    bool adam_;
    Memory<Real> first_, second_;
    double alpha_ = 1, beta_ = 1;
};

/// Everything that one form needs for a cell of dimension D.
template <class Real, int D>
class Training {
public:
    using V = typename VectorOf<Real>::Type;

    Training(Form form, const Cell& cell)
        : form_(form),
          cell_(cell),
          count_(((D + 2) * cell.width + 1) * replicas(form, cell)),
          p_(padded(count_)),
          g_(padded(count_)),
          x_(padded(sample_count())),
          e_(padded(cell.batch * replicas(form, cell))),
          update_(cell.adam, padded(count_)) {
        std::mt19937 generator(1);
        std::uniform_real_distribution<double> uniform(-1, 1);
        for (std::int64_t i = 0; i < count_; ++i) p_.get()[i] = static_cast<Real>(uniform(generator) / std::sqrt(cell.width));
    }
    void start_at(const std::vector<double>& parameters) {
        const int r = replicas(form_, cell_);
        for (std::size_t i = 0; i < parameters.size(); ++i)
            for (int lane = 0; lane < r; ++lane) p_.get()[i * r + lane] = static_cast<Real>(parameters[i]);
    }
    /// samples [batch][D]
    void take(const double* samples) {
        const int r = replicas(form_, cell_);
        for (int m = 0; m < cell_.batch; ++m)
            for (int k = 0; k < D; ++k)
                for (int lane = 0; lane < r; ++lane) {
                    const std::size_t at = form_ == Form::Samples ? k * cell_.batch + m : (m * D + k) * r + lane;
                    x_.get()[at] = static_cast<Real>(samples[m * D + k]);
                }
    }
    void draw() {
        if (form_ == Form::Philox)
            philox_.fill(x_.get(), sample_count());
        else
            xoshiro_.fill(x_.get(), sample_count());
    }
    void step() {
        if (form_ == Form::Samples)
            gradient_over_samples<Real, D>(cell_.width, cell_.batch, p_.get(), g_.get(), x_.get(), e_.get());
        else
            gradient_over_lanes<Real, D>(cell_.width, cell_.batch, vectors(p_), vectors(g_), vectors(x_), vectors(e_));
        update_(count_, p_.get(), g_.get());
    }
    std::vector<double> first_network() const {
        std::vector<double> parameters;
        for (std::int64_t i = 0; i < count_; i += replicas(form_, cell_)) parameters.push_back(static_cast<double>(p_.get()[i]));
        return parameters;
    }

private:
    static std::size_t padded(std::int64_t count) { return static_cast<std::size_t>(count + 64); }
    static V* vectors(const Memory<Real>& memory) { return reinterpret_cast<V*>(memory.get()); }
    std::int64_t sample_count() const { return static_cast<std::int64_t>(cell_.batch) * D * replicas(form_, cell_); }

    Form form_;
    Cell cell_;
    std::int64_t count_;
    Memory<Real> p_, g_, x_, e_;
    Update<Real> update_;
    Xoshiro xoshiro_;
    Philox philox_;
};

template <class Body>
auto with_types(const Cell& cell, Body body) {
    const auto with_dimension = [&](auto real) {
        using Real = decltype(real);
        switch (cell.dimension) {
            case 1:
                return body(real, std::integral_constant<int, 1>{});
            case 2:
                return body(real, std::integral_constant<int, 2>{});
            case 3:
                return body(Real{}, std::integral_constant<int, 3>{});
            default:
                return body(Real{}, std::integral_constant<int, 4>{});
        }
    };
    return cell.float64 ? with_dimension(double{}) : with_dimension(float{});
}

/// Denormal numbers are 0 as long as this lives: what -ffast-math sets in a program of its own. limrisk runs in the same program and keeps
/// them.
class FlushToZero {
public:
    FlushToZero() {
#if defined(__x86_64__)
        before_ = _mm_getcsr();
        _mm_setcsr(before_ | 0x8040);
#endif
    }
    ~FlushToZero() {
#if defined(__x86_64__)
        _mm_setcsr(before_);
#endif
    }
    FlushToZero(const FlushToZero&) = delete;
    FlushToZero& operator=(const FlushToZero&) = delete;

private:
    unsigned before_ = 0;
};

double processor_seconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int replicas(Form form, const Cell& cell) { return form == Form::Samples ? 1 : cell.float64 ? lanes<double> : lanes<float>; }

double seconds(Form form, const Cell& cell, std::int64_t steps) {
    return with_types(cell, [&](auto real, auto dimension) {
        Training<decltype(real), decltype(dimension)::value> training(form, cell);
        const FlushToZero fast;
        const double start = processor_seconds();
        for (std::int64_t n = 0; n < steps; ++n) {
            training.draw();
            training.step();
        }
        return processor_seconds() - start;
    });
}

std::vector<double> trained(Form form, const Cell& cell, const std::vector<double>& parameters, const std::vector<double>& samples) {
    return with_types(cell, [&](auto real, auto dimension) {
        Training<decltype(real), decltype(dimension)::value> training(form, cell);
        training.start_at(parameters);
        const std::size_t size = static_cast<std::size_t>(cell.batch) * decltype(dimension)::value;
        for (std::size_t first = 0; first + size <= samples.size(); first += size) {
            training.take(samples.data() + first);
            training.step();
        }
        return training.first_network();
    });
}

}  // namespace expert
