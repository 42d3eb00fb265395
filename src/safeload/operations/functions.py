"""The reviewed table of TensorFlow's pure functions: those that a model file may ask for by name.

tf.keras 2.4-2.15 stores a call of a TensorFlow function in a functional model as a layer with the function's canonical
name (`tf_export.get_canonical_name_for_symbol`). Only what is in this table is ever called. Everything that dispatches on
symbolic tensors in TensorFlow 2.4-2.21 was gone through; left out is what

- reads, writes, prints, fetches or raises on purpose: `io.*`, `audio.*`, `debugging.*`, `print`, `timestamp`;
- calls something that it is given: `py_function`, `numpy_function`, `map_fn`, `scan`, `foldl`, `cond`, `case`,
  `nn.dynamic_rnn`, `ragged.map_flat_values`, `sparse.map_values`;
- has state beside its arguments: `compat.v1.losses.*` (collections), candidate samplers, `random.Generator`;
- is there for tests or for one kernel: `quantization.quantized_*`, `conv2d_backprop_*`.
"""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeload.operations.sizes import SIZES

__all__ = ["PURE", "Function", "function", "functions"]

PURE: dict[str, str] = {
    "": """
        argsort batch_to_space bitcast boolean_mask broadcast_to cast clip_by_global_norm clip_by_norm
        clip_by_value concat convert_to_tensor edit_distance einsum ensure_shape expand_dims
        extract_volume_patches eye fill fingerprint gather gather_nd histogram_fixed_width
        histogram_fixed_width_bins identity linspace meshgrid norm one_hot ones ones_like pad range rank realdiv
        repeat reshape reverse reverse_sequence roll scatter_nd searchsorted sequence_mask shape size slice sort
        space_to_batch space_to_batch_nd split squeeze stack stop_gradient strided_slice tensor_scatter_nd_add
        tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot
        tile transpose truncatediv truncatemod unique unique_with_counts unravel_index unstack where zeros
        zeros_like
    """,
    "__operators__": """
        add eq getitem ne ragged_getitem
    """,
    "bitwise": """
        bitwise_and bitwise_or bitwise_xor invert left_shift right_shift
    """,
    "dtypes": """
        complex saturate_cast
    """,
    "image": """
        adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_jpeg_quality adjust_saturation
        central_crop combined_non_max_suppression convert_image_dtype crop_and_resize crop_to_bounding_box
        extract_glimpse extract_patches flip_left_right flip_up_down grayscale_to_rgb hsv_to_rgb image_gradients
        non_max_suppression non_max_suppression_overlaps non_max_suppression_padded
        non_max_suppression_with_scores pad_to_bounding_box per_image_standardization psnr random_brightness
        random_contrast random_crop random_flip_left_right random_flip_up_down random_hue random_jpeg_quality
        random_saturation resize resize_with_crop_or_pad resize_with_pad rgb_to_grayscale rgb_to_hsv rgb_to_yiq
        rgb_to_yuv rot90 sobel_edges ssim ssim_multiscale stateless_random_brightness stateless_random_contrast
        stateless_random_crop stateless_random_flip_left_right stateless_random_flip_up_down
        stateless_random_hue stateless_random_jpeg_quality stateless_random_saturation total_variation transpose
        yiq_to_rgb yuv_to_rgb
    """,
    "linalg": """
        adjoint band_part cholesky cholesky_solve cross det diag diag_part eig eigh eigh_tridiagonal eigvals
        eigvalsh expm global_norm inv logdet lstsq lu lu_matrix_inverse lu_reconstruct lu_solve matmul
        matrix_rank matrix_transpose matvec normalize pinv qr set_diag solve sqrtm svd tensor_diag
        tensor_diag_part trace triangular_solve tridiagonal_matmul tridiagonal_solve
    """,
    "math": """
        abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh bessel_i0
        bessel_i0e bessel_i1 bessel_i1e betainc bincount ceil confusion_matrix conj cos cosh count_nonzero
        cumprod cumsum cumulative_logsumexp digamma divide divide_no_nan equal erf erfc erfcinv erfinv exp expm1
        floor floordiv floormod greater greater_equal igamma igammac imag in_top_k invert_permutation is_finite
        is_inf is_nan is_non_decreasing is_strictly_increasing l2_normalize lbeta less less_equal lgamma log
        log1p log_sigmoid logical_and logical_not logical_or logical_xor maximum minimum multiply
        multiply_no_nan ndtri negative nextafter not_equal polygamma polyval pow real reciprocal
        reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean
        reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt scalar_mul segment_max
        segment_mean segment_min segment_prod segment_sum sigmoid sign sin sinh sobol_sample softplus sqrt
        square squared_difference subtract tan tanh top_k truediv unsorted_segment_max unsorted_segment_mean
        unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum xdivy xlog1py
        xlogy zero_fraction zeta
    """,
    "math.special": """
        bessel_j0 bessel_j1 bessel_k0 bessel_k0e bessel_k1 bessel_k1e bessel_y0 bessel_y1 dawsn expint
        fresnel_cos fresnel_sin spence
    """,
    "nn": """
        atrous_conv2d atrous_conv2d_transpose avg_pool avg_pool1d avg_pool2d avg_pool3d
        batch_norm_with_global_normalization batch_normalization bias_add conv1d conv1d_transpose conv2d
        conv2d_transpose conv3d conv3d_transpose conv_transpose convolution crelu ctc_greedy_decoder ctc_loss
        ctc_unique_labels depth_to_space depthwise_conv2d depthwise_conv2d_backprop_filter
        depthwise_conv2d_backprop_input dilation2d dropout elu embedding_lookup erosion2d gelu
        isotonic_regression l2_loss leaky_relu local_response_normalization log_poisson_loss log_softmax
        max_pool max_pool1d max_pool2d max_pool3d max_pool_with_argmax moments normalize_moments pool relu relu6
        selu separable_conv2d sigmoid_cross_entropy_with_logits silu softmax softmax_cross_entropy_with_logits
        softsign space_to_depth sparse_softmax_cross_entropy_with_logits sufficient_statistics
        weighted_cross_entropy_with_logits weighted_moments
    """,
    "quantization": """
        dequantize fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient
        fake_quant_with_min_max_vars fake_quant_with_min_max_vars_gradient
        fake_quant_with_min_max_vars_per_channel fake_quant_with_min_max_vars_per_channel_gradient quantize
        quantize_and_dequantize quantize_and_dequantize_v2
    """,
    "ragged": """
        boolean_mask range row_splits_to_segment_ids segment_ids_to_row_splits stack stack_dynamic_partitions
    """,
    "random": """
        categorical gamma normal poisson shuffle stateless_binomial stateless_categorical stateless_gamma
        stateless_normal stateless_parameterized_truncated_normal stateless_poisson stateless_truncated_normal
        stateless_uniform truncated_normal uniform
    """,
    "signal": """
        dct fft fft2d fft3d fftshift frame hamming_window hann_window idct ifft ifft2d ifft3d ifftshift
        inverse_mdct inverse_stft inverse_stft_window_fn kaiser_bessel_derived_window kaiser_window
        linear_to_mel_weight_matrix mdct mfccs_from_log_mel_spectrograms overlap_and_add stft vorbis_window
    """,
    "strings": """
        as_string bytes_split format join length lower ngrams reduce_join regex_full_match regex_replace split
        strip substr to_hash_bucket to_hash_bucket_fast to_hash_bucket_strong to_number unicode_decode
        unicode_decode_with_offsets unicode_encode unicode_script unicode_split unicode_split_with_offsets
        unicode_transcode unsorted_segment_join upper
    """,
    "keras.activations": """
        elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign swish tanh
    """,
    "keras.backend": """
        abs all any arange argmax argmin batch_dot batch_flatten batch_normalization bias_add
        binary_crossentropy binary_focal_crossentropy binary_weighted_focal_crossentropy cast cast_to_floatx
        categorical_crossentropy categorical_focal_crossentropy clip concatenate constant conv1d conv2d
        conv2d_transpose conv3d cos ctc_batch_cost ctc_decode cumprod cumsum depthwise_conv2d dot dropout elu
        equal exp expand_dims eye flatten gather greater greater_equal hard_sigmoid in_top_k l2_normalize less
        less_equal local_conv1d local_conv2d log max maximum mean min minimum not_equal one_hot ones ones_like
        permute_dimensions pool2d pool3d pow prod random_bernoulli random_binomial random_normal random_uniform
        relu repeat repeat_elements reshape resize_images resize_volumes reverse round separable_conv2d shape
        sigmoid sign sin softmax softplus softsign sparse_categorical_crossentropy spatial_2d_padding
        spatial_3d_padding sqrt square squeeze stack std stop_gradient sum tanh temporal_padding tile to_dense
        transpose truncated_normal
    """,
    "keras.losses": """
        categorical_hinge cosine_similarity huber log_cosh
    """,
    "keras.metrics": """
        binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
        categorical_crossentropy categorical_focal_crossentropy hinge kl_divergence mean_absolute_error
        mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error poisson
        sparse_categorical_accuracy sparse_categorical_crossentropy squared_hinge top_k_categorical_accuracy
    """,
    "compat.v1": """
        batch_gather batch_to_space batch_to_space_nd boolean_mask clip_by_average_norm convert_to_tensor div
        expand_dims floor_div gather gather_nd norm ones_like pad shape size squeeze substr to_bfloat16
        to_complex128 to_complex64 to_double to_float to_int32 to_int64 transpose where zeros_like
    """,
    "compat.v1.image": """
        crop_and_resize extract_glimpse extract_image_patches resize_area resize_bicubic resize_bilinear
        resize_image_with_pad resize_images resize_nearest_neighbor
    """,
    "compat.v1.math": """
        argmax argmin confusion_matrix count_nonzero in_top_k l2_normalize reduce_all reduce_any
        reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum scalar_mul
    """,
    "compat.v1.nn": """
        avg_pool batch_norm_with_global_normalization conv1d conv2d conv2d_transpose conv3d conv3d_transpose
        convolution crelu ctc_loss ctc_loss_v2 depth_to_space depthwise_conv2d depthwise_conv2d_native
        dilation2d dropout embedding_lookup erosion2d fused_batch_norm log_softmax max_pool max_pool_with_argmax
        moments pool relu_layer separable_conv2d sigmoid_cross_entropy_with_logits softmax
        softmax_cross_entropy_with_logits softmax_cross_entropy_with_logits_v2 space_to_batch space_to_depth
        sparse_softmax_cross_entropy_with_logits sufficient_statistics weighted_cross_entropy_with_logits
        weighted_moments xw_plus_b
    """,
    "compat.v1.random": """
        multinomial poisson
    """,
    "compat.v1.strings": """
        length reduce_join split substr to_hash_bucket to_number
    """,
}
"""Canonical names by namespace."""

RANDOM_SPACES = ("random", "compat.v1.random")
RANDOM_WORDS = ("random_", "dropout", "truncated_normal")


@dataclass(frozen=True, slots=True)
class Function:
    """A pure function of TensorFlow.

    Attributes:
        id: Its canonical name: `math.add`, `compat.v1.transpose`, `keras.backend.mean`.
        parameters: Names of its parameters in order, `name` left out; `*inputs` where it takes any number.
        required: Those without a default.
        defaults: Defaults of those that have one and whose default is plain data; dtypes by name.
        names: Its other public names below `tf`.
        sizes: The parameters that say how large the result is; see `sizes`.
        is_random: Whether two calls differ.
    """

    id: str
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    defaults: Mapping[str, Any]
    names: tuple[str, ...]
    sizes: tuple[str, ...]
    is_random: bool

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by the names of their parameters, without defaults; what has no name stays under `*inputs`.

        Raises:
            TypeError: It takes no such arguments.
        """
        named = [p for p in self.parameters if not p.startswith("*")]
        rest = next((p for p in self.parameters if p.startswith("*")), None)
        bound: dict[str, Any] = dict(zip(named, args, strict=False))
        if len(args) > len(named):
            if rest is None:
                raise TypeError(f"{self.id} takes {len(named)} arguments, not {len(args)}")
            bound[rest] = tuple(args[len(named) :])
        for key, value in kwargs.items():
            if key in bound or (key not in named and key != "name"):
                raise TypeError(f"{self.id} takes no argument {key!r} here")
            if key != "name":
                bound[key] = value
        return bound


@functools.cache
def functions() -> dict[str, Function]:
    """All rows by canonical name."""
    text = Path(__file__).with_name("signatures.json").read_text(encoding="utf-8")
    signatures = json.loads(text)
    return {row.id: row for row in _rows(signatures)}


def _rows(signatures: Mapping[str, Mapping[str, list[str]]]) -> Iterator[Function]:
    for space, names in PURE.items():
        for name in names.split():
            key = f"{space}.{name}".lstrip(".")
            signature = signatures.get(key, {"parameters": [], "names": []})
            parts = [p.partition("=") for p in signature["parameters"]]
            yield Function(
                key,
                tuple(p[0] for p in parts),
                tuple(p[0] for p in parts if not p[1]),
                {p[0]: ast.literal_eval(p[2]) for p in parts if p[2] and p[2] != "..."},
                tuple(signature["names"]),
                SIZES.get(key, ()),
                space in RANDOM_SPACES or any(word in name for word in RANDOM_WORDS),
            )


@functools.cache
def _by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for row in functions().values():
        for name in row.names:
            found.setdefault(name, row.id)
    return found


def function(name: str) -> Function | None:
    """The pure function of that name, canonical or any other public one; None where the table has none.

    Example:
        >>> function("reduce_sum").id
        'math.reduce_sum'
        >>> function("io.write_file") is None
        True
    """
    rows = functions()
    return rows.get(name) or rows.get(_by_name().get(name, ""))
