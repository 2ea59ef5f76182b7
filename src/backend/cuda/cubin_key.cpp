// Hashes the parts of a job one after the other, each behind its length, so that no two different jobs have the same stream of bytes.
#include "backend/cuda/cubin_key.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace limrisk::cuda {
namespace {

class Hasher {
public:
    Hasher() : state_(XXH3_createState()) {
        if (!state_) throw std::bad_alloc();
        XXH3_128bits_reset(state_.get());
    }

    void add(std::string_view part) {
        count(part.size());
        XXH3_128bits_update(state_.get(), part.data(), part.size());
    }

    void add(const std::vector<std::string>& parts) {
        count(parts.size());
        for (const std::string& part : parts) add(part);
    }

    /// The number of parts or bytes that follow.
    void count(std::uint64_t number) { XXH3_128bits_update(state_.get(), &number, sizeof number); }

    CubinKey key() const {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
        CubinKey key;
        std::memcpy(key.bytes.data(), canonical.digest, key.bytes.size());
        return key;
    }

private:
    struct Free {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> state_;
};

}  // namespace

std::string CubinKey::hex() const {
    std::string text;
    for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
}

CubinKey cubin_key(const CompileJob& job, const Compiler& compiler) {
    Hasher hasher;
    hasher.add(compiler.identity());
    hasher.add(compiler.fixed_options());
    hasher.add(job.architecture);
    hasher.add(job.options);
    hasher.add(job.name_expressions);
    hasher.add(job.source);
    hasher.count(job.headers.size());
    for (const SourceText& header : job.headers) {
        hasher.add(header.name);
        hasher.add(header.text);
    }
    return hasher.key();
}

}  // namespace limrisk::cuda
